//! The numbers of a call, for people who want to know and for bug reports.

mod features;
mod panel;
mod readings;
mod track;

pub(crate) use panel::Diagnostics;
pub(crate) use panel::PANEL_ID;
