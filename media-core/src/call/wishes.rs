//! Which video tracks the page shows, as the relay is told.

use std::cmp::Reverse;

use videocall_types::layers::ladder;
use videocall_types::limits::MAX_WISHES;
use videocall_types::wishes::FULL_HEIGHT;
use videocall_types::{SessionId, Track, Wishes};

/// What the page has said last.
#[derive(Debug, Default)]
pub(super) struct Shown(Option<Wishes>);

impl Shown {
    /// The page shows this now. True if it makes a difference.
    pub(super) fn set(&mut self, wishes: Wishes) -> bool {
        let wishes = Some(coarse(wishes));
        let changed = self.0 != wishes;
        self.0 = wishes;
        changed
    }

    /// `None`: the page has said nothing yet.
    pub(super) fn wishes(&self) -> Option<&Wishes> {
        self.0.as_ref()
    }

    /// Whether frames of a track are of use.
    pub(super) fn wants(&self, session: SessionId, track: Track) -> bool {
        let wishes = self.0.as_ref();
        track.is_audio() || wishes.is_none_or(|wishes| wishes.want(session, track))
    }
}

/// What a relay accepts, not too many tracks, of which the largest stay; and heights in a camera's steps, so that resizing a
/// window does not send a packet per row of pixels.
fn coarse(wishes: Wishes) -> Wishes {
    let Wishes { shown, others } = wishes;
    let video = shown
        .into_iter()
        .filter(|((_, track), _)| !track.is_audio());
    let mut shown: Vec<_> = video.map(|(track, height)| (track, step(height))).collect();
    shown.sort_by_key(|(_, height)| Reverse(*height));
    shown.truncate(MAX_WISHES);
    Wishes {
        shown: shown.into_iter().collect(),
        others,
    }
}

fn step(height: u32) -> u32 {
    let steps = ladder(Track::Camera).iter().map(|layer| layer.max_height);
    let mut higher = steps.filter(|step| height <= *step);
    higher.next().unwrap_or(FULL_HEIGHT)
}
