//! Whether there is something to see of a video track, and if not, why: what is told to the person who looks at it.
//!
//! Nothing is said of what is over soon. What was said stays until pictures have moved for a while, so that it does not
//! come and go.

use std::time::Duration;

use videocall_types::{Timestamp, Track};

use crate::event::Trouble;

/// A decoder that fails starts again at a keyframe. That it fails, or that frames come in vain, is said after this time.
const FAILS: Duration = Duration::from_secs(1);
/// A camera that shows no new picture for this time stands still.
const STANDS_STILL: Duration = Duration::from_secs(3);
/// A track that was switched on, or that is looked at again, has this time for its first picture.
const BEGINS: Duration = Duration::from_secs(5);
/// Trouble is over when pictures have come for this time, without a failure ...
const MOVES: Duration = Duration::from_secs(1);
/// ... and with no longer a gap than this.
const GAP: Duration = Duration::from_secs(2);
/// A decoder that was given some frames and has shown nothing for this time hangs.
const HANGS: Duration = Duration::from_secs(2);
/// Decoders may keep one or two frames back.
const HELD_BACK: u32 = 3;

/// How our own connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    /// Nothing comes at all.
    pub(super) is_silent: bool,
    /// The relay says that it carries less than there is.
    pub(super) is_limited: bool,
}

/// Watches the pictures of one track.
#[derive(Debug)]
pub(super) struct PictureWatch {
    track: Track,
    /// Frames should come from then on; `None`: the track is off, or nobody looks.
    expected: Option<Timestamp>,
    /// The frames that came since the newest picture was shown.
    unseen: Option<Span>,
    /// The newest picture was shown.
    seen: Option<Timestamp>,
    /// Pictures are shown without a gap or failure since then.
    moves: Option<Timestamp>,
    failing: Option<Span>,
    /// What the decoder has got since it showed something.
    given: Option<Given>,
    trouble: Option<Trouble>,
}

/// Something that has happened once or again.
#[derive(Clone, Copy, Debug)]
struct Span {
    since: Timestamp,
    last: Timestamp,
}

impl Span {
    /// It happens, for the first time if there is no `before`.
    fn extended(before: Option<Self>, now: Timestamp) -> Self {
        let since = before.map_or(now, |before| before.since);
        Self { since, last: now }
    }
}

#[derive(Clone, Copy, Debug)]
struct Given {
    since: Timestamp,
    frames: u32,
}

impl PictureWatch {
    pub(super) const fn new(track: Track) -> Self {
        Self {
            track,
            expected: None,
            unseen: None,
            seen: None,
            moves: None,
            failing: None,
            given: None,
            trouble: None,
        }
    }

    /// Why there is no moving picture, as far as it is worth saying.
    pub(super) const fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// The sender publishes, and somebody looks.
    pub(super) fn expect(&mut self, now: Timestamp) {
        self.expected.get_or_insert(now);
    }

    /// Frames begin anew, perhaps: over another connection. What was said stays.
    pub(super) fn restart(&mut self) {
        let Self { track, trouble, .. } = *self;
        *self = Self {
            trouble,
            ..Self::new(track)
        };
    }

    /// Nothing is expected any more.
    pub(super) fn stop(&mut self) {
        *self = Self::new(self.track);
    }

    /// A frame came, of whatever use.
    pub(super) fn arrived(&mut self, now: Timestamp) {
        self.unseen = Some(Span::extended(self.unseen, now));
    }

    /// The decoder got a frame.
    pub(super) fn given(&mut self, now: Timestamp) {
        let given = self.given.get_or_insert(Given {
            since: now,
            frames: 0,
        });
        given.frames = given.frames.saturating_add(1);
    }

    /// The decoder has failed, or none can take what comes. Returns how many frames it got in vain.
    pub(super) fn failed(&mut self, now: Timestamp) -> u32 {
        self.moves = None;
        self.failing = Some(Span::extended(self.failing, now));
        self.given.take().map_or(0, |given| given.frames)
    }

    /// A picture was shown.
    pub(super) fn shown(&mut self, now: Timestamp) {
        self.given = None;
        self.unseen = None;
        if self.seen.is_none_or(|seen| now - seen > GAP) {
            self.moves = None;
        }
        self.seen = Some(now);
        let moves = *self.moves.get_or_insert(now);
        if now - moves >= MOVES {
            self.failing = None;
            self.trouble = None;
        }
    }

    /// Whether the decoder takes frames and gives nothing.
    pub(super) fn hangs(&self, now: Timestamp) -> bool {
        self.given
            .is_some_and(|given| given.frames >= HELD_BACK && now - given.since >= HANGS)
    }

    /// Looks at how things are; to be called about once a second.
    pub(super) fn review(&mut self, connection: Connection, now: Timestamp) {
        let Some(expected) = self.expected else {
            return;
        };
        if self.seems_well(now) {
            self.failing = None;
        }
        let reason = self.reason(expected, connection, now);
        // A camera that moves again says so by its pictures; a screen may have nothing new to show.
        if reason.is_some() || (self.track == Track::Screen && self.failing.is_none()) {
            self.trouble = reason;
        }
    }

    /// The last failure is over.
    fn seems_well(&self, now: Timestamp) -> bool {
        let failed = self.failing.map(|failing| failing.last);
        failed.is_some_and(|failed| now - failed >= MOVES && self.seen > Some(failed))
    }

    fn reason(
        &self,
        expected: Timestamp,
        connection: Connection,
        now: Timestamp,
    ) -> Option<Trouble> {
        let seen = self.seen.filter(|seen| *seen >= expected);
        if let Some(Span { since, last }) = self.failing
            && now - since >= FAILS
            && seen.is_none_or(|seen| seen <= last)
        {
            return Some(Trouble::Undecodable);
        }
        let due = seen.map_or(expected + BEGINS, |seen| seen + STANDS_STILL);
        if now < due {
            return None;
        }
        let comes = self
            .unseen
            .is_some_and(|Span { since, last }| now - since >= FAILS && now - last < STANDS_STILL);
        if connection.is_silent {
            Some(Trouble::ConnectionStalled)
        } else if self.track == Track::Screen && seen.is_some() && self.unseen.is_none() {
            // It does not change.
            None
        } else if connection.is_limited {
            Some(Trouble::LeftOut)
        } else if comes {
            Some(Trouble::Undecodable)
        } else {
            Some(Trouble::SenderStalled)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Trouble::{ConnectionStalled, LeftOut, SenderStalled, Undecodable};

    const WELL: Connection = Connection {
        is_silent: false,
        is_limited: false,
    };
    const SILENT: Connection = Connection {
        is_silent: true,
        ..WELL
    };
    const LIMITED: Connection = Connection {
        is_limited: true,
        ..WELL
    };

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + ms)
    }

    /// A camera or a screen that is expected from 0 on.
    fn watch(track: Track) -> PictureWatch {
        let mut watch = PictureWatch::new(track);
        watch.expect(at(0));
        watch
    }

    /// Pictures that come and are shown every 100 ms.
    fn moves(watch: &mut PictureWatch, ms: std::ops::Range<u64>) {
        for ms in ms.step_by(100) {
            watch.arrived(at(ms));
            watch.given(at(ms));
            watch.shown(at(ms));
        }
    }

    /// What is said when it is looked at these times.
    fn said(
        watch: &mut PictureWatch,
        connection: Connection,
        times: &[u64],
    ) -> Vec<Option<Trouble>> {
        let look = |ms: &u64| {
            watch.review(connection, at(*ms));
            watch.trouble()
        };
        times.iter().map(look).collect()
    }

    #[test]
    fn a_moving_picture_is_no_trouble() {
        let mut watch = watch(Track::Camera);
        moves(&mut watch, 0..5000);
        assert_eq!(said(&mut watch, SILENT, &[5000, 7800]), [None, None]);
        assert_eq!(said(&mut watch, LIMITED, &[5000, 7800]), [None, None]);
    }

    #[test]
    fn a_picture_that_stands_still_has_its_reason() {
        for (connection, reason) in [
            (WELL, SenderStalled),
            (LIMITED, LeftOut),
            (SILENT, ConnectionStalled),
        ] {
            let mut watch = watch(Track::Camera);
            moves(&mut watch, 0..1001);
            let seen = said(&mut watch, connection, &[3999, 4000]);
            assert_eq!(seen, [None, Some(reason)]);
        }
    }

    #[test]
    fn a_track_has_time_to_begin() {
        for track in [Track::Camera, Track::Screen] {
            let mut watch = watch(track);
            let seen = said(&mut watch, WELL, &[4999, 5000]);
            assert_eq!(seen, [None, Some(SenderStalled)]);
        }
    }

    #[test]
    fn what_nobody_looks_at_is_no_trouble() {
        let mut watch = PictureWatch::new(Track::Camera);
        assert_eq!(said(&mut watch, SILENT, &[0, 60_000]), [None, None]);
        watch.expect(at(0));
        assert_eq!(
            said(&mut watch, SILENT, &[60_000]),
            [Some(ConnectionStalled)]
        );
        watch.stop();
        assert_eq!(watch.trouble(), None);
        watch.expect(at(60_000));
        assert_eq!(said(&mut watch, WELL, &[64_999]), [None]);
    }

    #[test]
    fn a_screen_that_does_not_change_is_no_trouble_but_for_a_silent_connection() {
        let mut watch = watch(Track::Screen);
        moves(&mut watch, 0..200);
        assert_eq!(said(&mut watch, WELL, &[60_000]), [None]);
        assert_eq!(said(&mut watch, LIMITED, &[60_000]), [None]);
        let silent = said(&mut watch, SILENT, &[61_000]);
        assert_eq!(silent, [Some(ConnectionStalled)]);
        assert_eq!(said(&mut watch, WELL, &[62_000]), [None]);
    }

    #[test]
    fn frames_that_come_and_are_never_seen_can_not_be_decoded() {
        for track in [Track::Camera, Track::Screen] {
            let mut watch = watch(track);
            moves(&mut watch, 0..200);
            (200..6000)
                .step_by(100)
                .for_each(|ms| watch.arrived(at(ms)));
            assert_eq!(said(&mut watch, LIMITED, &[6000]), [Some(LeftOut)]);
            assert_eq!(said(&mut watch, WELL, &[6000]), [Some(Undecodable)]);
        }
    }

    #[test]
    fn the_first_frame_after_a_pause_is_not_blamed_for_it() {
        let mut watch = watch(Track::Camera);
        moves(&mut watch, 0..1001);
        watch.arrived(at(4000));
        assert_eq!(said(&mut watch, WELL, &[4001]), [Some(SenderStalled)]);
    }

    #[test]
    fn one_failure_that_a_keyframe_heals_is_not_worth_a_word() {
        let mut watch = watch(Track::Camera);
        moves(&mut watch, 0..1000);
        watch.failed(at(1000));
        assert_eq!(said(&mut watch, WELL, &[1999]), [None]);
        moves(&mut watch, 2000..2100);
        let seen = said(&mut watch, WELL, &[2001, 3000]);
        assert_eq!(seen, [None, None]);
        watch.failed(at(4000));
        assert_eq!(said(&mut watch, WELL, &[4999]), [None], "another one");
    }

    #[test]
    fn a_decoder_that_fails_is_said_to_until_pictures_have_moved_for_a_while() {
        let mut watch = watch(Track::Camera);
        moves(&mut watch, 0..1000);
        for ms in (1000..3000).step_by(500) {
            watch.given(at(ms));
            assert_eq!(watch.failed(at(ms)), 1);
        }
        assert_eq!(said(&mut watch, WELL, &[2600]), [Some(Undecodable)]);
        // It fails again after each keyframe.
        for ms in (3000..8000).step_by(500) {
            watch.shown(at(ms));
            watch.failed(at(ms + 30));
            let seen = said(&mut watch, WELL, &[ms + 20, ms + 40]);
            assert_eq!(seen, [Some(Undecodable), Some(Undecodable)], "{ms}");
        }
        moves(&mut watch, 8000..8901);
        let seen = said(&mut watch, WELL, &[8950]);
        assert_eq!(seen, [Some(Undecodable)]);
        moves(&mut watch, 9000..9001);
        assert_eq!(watch.trouble(), None);
    }

    #[test]
    fn a_screen_that_is_decoded_again_need_not_change() {
        let mut watch = watch(Track::Screen);
        moves(&mut watch, 0..100);
        watch.failed(at(1000));
        assert_eq!(said(&mut watch, WELL, &[2000]), [Some(Undecodable)]);
        moves(&mut watch, 2500..2501);
        assert_eq!(said(&mut watch, WELL, &[3000, 60_000]), [None, None]);
    }

    #[test]
    fn a_picture_now_and_then_does_not_make_the_word_flicker() {
        let mut watch = watch(Track::Camera);
        moves(&mut watch, 0..1000);
        for second in 4..60 {
            if second % 4 == 0 {
                moves(&mut watch, second * 1000..second * 1000 + 1);
            }
            let seen = said(&mut watch, WELL, &[second * 1000 + 100]);
            let expected = (second >= 7).then_some(SenderStalled);
            assert_eq!(seen, [expected], "second {second}");
        }
    }

    #[test]
    fn what_was_said_outlives_a_new_connection() {
        let mut watch = watch(Track::Camera);
        moves(&mut watch, 0..1000);
        let silent = said(&mut watch, SILENT, &[5000]);
        assert_eq!(silent, [Some(ConnectionStalled)]);
        watch.restart();
        watch.expect(at(6000));
        let seen = said(&mut watch, WELL, &[7000]);
        assert_eq!(seen, [Some(ConnectionStalled)]);
        moves(&mut watch, 7000..8001);
        assert_eq!(watch.trouble(), None);
    }

    #[test]
    fn a_decoder_hangs_that_takes_frames_and_shows_nothing() {
        let mut watch = watch(Track::Camera);
        watch.given(at(0));
        watch.given(at(10));
        assert!(!watch.hangs(at(60_000)), "it may hold two back");
        watch.given(at(20));
        assert!(!watch.hangs(at(1999)));
        assert!(watch.hangs(at(2000)));
        watch.shown(at(2000));
        assert!(!watch.hangs(at(60_000)));
    }
}
