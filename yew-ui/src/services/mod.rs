//! Small services of the browser.

pub(crate) mod clipboard;
pub(crate) mod levels;
pub(crate) mod numbers;
pub(crate) mod profile;
pub(crate) mod random;
