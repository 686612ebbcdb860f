//! At which rate a shared screen is encoded.

use std::collections::VecDeque;
use std::time::Duration;

use videocall_types::Timestamp;

/// Rates in frames per second: of slides and text, of what is scrolled and typed, and of films.
const SELDOM: u32 = 5;
const OFTEN: u32 = 15;
const ALWAYS: u32 = 30;
const SECOND: Duration = Duration::from_secs(1);
/// Somebody who scrolls stops sooner; a film goes on.
const FILM_AFTER: Duration = Duration::from_secs(2);

/// Judges a screen by how often it changes, for a screen that does not change gives no pictures. Bits that fewer pictures
/// leave make each of them sharper.
#[derive(Debug, Default)]
pub struct ContentRate {
    /// When the pictures of the last second were captured.
    recent: VecDeque<Timestamp>,
    /// Since when there have been many.
    moving_since: Option<Timestamp>,
}

impl ContentRate {
    /// A picture was captured `at`. How many in a second are to be encoded at present.
    pub fn picture(&mut self, at: Timestamp) -> u32 {
        while self.recent.front().is_some_and(|old| at - *old >= SECOND) {
            self.recent.pop_front();
        }
        // A clock that goes back, or pictures in any number, must not fill it.
        if self.recent.len() > ALWAYS as usize {
            self.recent.pop_front();
        }
        self.recent.push_back(at);
        let count = self.recent.len() as u32;
        if count <= OFTEN {
            self.moving_since = None;
        }
        if count <= SELDOM {
            return SELDOM;
        }
        let since = match self.moving_since {
            Some(since) => since,
            None if count <= OFTEN => return OFTEN,
            None => *self.moving_since.insert(at),
        };
        if at - since >= FILM_AFTER {
            ALWAYS
        } else {
            OFTEN
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rates when pictures come at these distances in milliseconds.
    fn rates(distances: impl Iterator<Item = u64>) -> Vec<u32> {
        let mut content = ContentRate::default();
        let mut ms = 10_000;
        distances
            .map(|distance| {
                ms += distance;
                content.picture(Timestamp::from_millis(ms))
            })
            .collect()
    }

    #[test]
    fn slides_have_the_lowest_rate() {
        assert!(
            rates([400, 900, 250, 5_000].into_iter().cycle().take(40))
                .iter()
                .all(|rate| *rate == SELDOM)
        );
    }

    #[test]
    fn scrolling_raises_it_at_once_and_a_film_in_the_end() {
        let film = rates(std::iter::repeat_n(33, 150));
        assert_eq!(film[..5], [SELDOM; 5]);
        assert_eq!(film[5..70], [OFTEN; 65]);
        assert_eq!(film[80..], [ALWAYS; 70]);
        assert!(
            rates(std::iter::repeat_n(100, 100))
                .iter()
                .all(|rate| *rate <= OFTEN)
        );
    }

    #[test]
    fn it_falls_when_the_film_is_over() {
        let film = std::iter::repeat_n(33, 120);
        let rates = rates(film.chain([2_000, 300, 300]));
        assert_eq!(rates[119..], [ALWAYS, SELDOM, SELDOM, SELDOM]);
    }

    #[test]
    fn a_clock_that_goes_back_does_no_harm() {
        let mut content = ContentRate::default();
        for ms in (0..10_000_u64).rev() {
            assert!(content.picture(Timestamp::from_millis(ms)) <= ALWAYS);
        }
        assert!(content.recent.len() <= ALWAYS as usize + 1);
    }
}
