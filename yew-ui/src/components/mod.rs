//! Parts of pages: props in, callbacks out.

pub(crate) mod audio_switches;
pub(crate) mod avatar;
pub(crate) mod banners;
pub(crate) mod controls;
pub(crate) mod copy_button;
pub(crate) mod copy_link;
pub(crate) mod device_choice;
pub(crate) mod diagnostics;
pub(crate) mod icon;
pub(crate) mod level_meter;
pub(crate) mod message;
pub(crate) mod own_tile;
pub(crate) mod pager;
pub(crate) mod pin_tool;
pub(crate) mod preview;
pub(crate) mod remote_video;
pub(crate) mod settings;
pub(crate) mod source_problem;
pub(crate) mod switch;
pub(crate) mod tile;
pub(crate) mod tiles;
pub(crate) mod toasts;
pub(crate) mod toggle;
pub(crate) mod top_bar;
pub(crate) mod trouble;
pub(crate) mod view_tools;
