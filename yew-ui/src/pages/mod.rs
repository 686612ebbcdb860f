//! One file per page; the texts of a page are in its file.

pub(crate) mod call;
pub(crate) mod home;
pub(crate) mod invalid_link;
pub(crate) mod meeting;
pub(crate) mod not_found;
pub(crate) mod over;
pub(crate) mod prejoin;
pub(crate) mod unsupported;
