//! State that lives with a component.

pub(crate) mod target;
pub(crate) mod use_call;
pub(crate) mod use_equipment;
pub(crate) mod use_escape;
pub(crate) mod use_failure_notice;
pub(crate) mod use_focus;
pub(crate) mod use_hidden;
pub(crate) mod use_numbers;
pub(crate) mod use_published;
pub(crate) mod use_screen;
pub(crate) mod use_shortcuts;
pub(crate) mod use_size;
pub(crate) mod use_source;
pub(crate) mod use_spare_engine;
pub(crate) mod use_title;
pub(crate) mod use_view;
pub(crate) mod use_wishes;
