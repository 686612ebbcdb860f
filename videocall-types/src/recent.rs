//! Which of the last numbers of a sequence there are.

/// Remembers 64 numbers up to the newest; older ones count as missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recent {
    newest: u64,
    /// Bit `n`: `newest - n` is there.
    bits: u64,
}

impl Recent {
    /// Only this one is there.
    #[must_use]
    pub const fn only(number: u64) -> Self {
        Self {
            newest: number,
            bits: 1,
        }
    }

    /// The newest number, whether it is there or not.
    #[must_use]
    pub const fn newest(&self) -> u64 {
        self.newest
    }

    /// Whether `number` is there.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        self.bit(number).is_some_and(|bit| self.bits & bit != 0)
    }

    /// Nothing is there.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bits == 0
    }

    /// Goes on to a `number` after the newest, which is there or not.
    pub fn advance(&mut self, number: u64, is_there: bool) {
        let ahead = u32::try_from(number.saturating_sub(self.newest)).ok();
        let shifted = ahead.and_then(|ahead| self.bits.checked_shl(ahead));
        *self = Self {
            newest: number,
            bits: shifted.unwrap_or(0) | u64::from(is_there),
        };
    }

    /// A number up to the newest has come. False if it was there already, or is too old to tell.
    pub fn insert(&mut self, number: u64) -> bool {
        let bit = self.bit(number).unwrap_or(0);
        let is_new = bit & !self.bits != 0;
        self.bits |= bit;
        is_new
    }

    /// `number` is not there any more.
    pub fn remove(&mut self, number: u64) {
        self.bits &= !self.bit(number).unwrap_or(0);
    }

    /// Nothing is there any more.
    pub const fn clear(&mut self) {
        self.bits = 0;
    }

    /// `None`: too old, or not there yet.
    fn bit(&self, number: u64) -> Option<u64> {
        let back = self.newest.checked_sub(number)?;
        1_u64.checked_shl(u32::try_from(back).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(recent: &Recent) -> Vec<u64> {
        (0..200).filter(|n| recent.contains(*n)).collect()
    }

    #[test]
    fn numbers_come_and_go() {
        let mut recent = Recent::only(5);
        recent.advance(7, false);
        recent.advance(9, true);
        assert_eq!(there(&recent), [5, 9]);
        assert!(recent.insert(8) && !recent.insert(8) && !recent.insert(9));
        recent.remove(5);
        recent.remove(100);
        assert_eq!((there(&recent), recent.newest()), (vec![8, 9], 9));
        recent.clear();
        assert!(recent.is_empty() && there(&recent).is_empty());
    }

    #[test]
    fn the_last_64_are_remembered() {
        let mut recent = Recent::only(100);
        recent.advance(163, true);
        assert_eq!(there(&recent), [100, 163]);
        recent.advance(164, true);
        assert_eq!(there(&recent), [163, 164]);
        assert!(!recent.insert(100), "too old to tell");
        recent.advance(u64::MAX, false);
        assert!(recent.is_empty());
    }
}
