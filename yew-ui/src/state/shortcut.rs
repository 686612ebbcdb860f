//! Keys of the call page.

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortcut {
    /// Microphone on or off.
    Microphone,
    /// Camera on or off.
    Camera,
    /// Start or stop sharing the screen.
    Screen,
}

impl Shortcut {
    /// The shortcut of a key as the browser names it, letter case aside.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        match key {
            "m" | "M" => Some(Self::Microphone),
            "v" | "V" => Some(Self::Camera),
            "s" | "S" => Some(Self::Screen),
            _ => None,
        }
    }
}
