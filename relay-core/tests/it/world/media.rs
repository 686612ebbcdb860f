//! What members send, and who gets it.

use std::collections::BTreeSet;

use relay_core::ingress::{KeyframeTarget, from_relay};
use relay_core::{Content, DropReason, Forward};
use videocall_types::{Bytes, LayerSet, Packet, Routing, SessionId, Track};

use super::client::Client;
use super::packets::forwarded;
use super::{LARGE_ABOVE, LOUDEST, World};

static FRAME: [u8; 1 << 16] = [0; 1 << 16];

/// A frame that somebody sends.
pub(super) struct Frame {
    pub(super) track: Track,
    pub(super) layer: u8,
    pub(super) sent: LayerSet,
    pub(super) keyframe: bool,
    pub(super) temporal: u8,
    pub(super) bytes: u16,
}

impl World {
    pub(super) fn film(&mut self, from: SessionId, frame: Frame) {
        let client = self.clients.get_mut(&from).unwrap();
        let source = client.sources.entry(frame.track).or_default();
        let routing = source.frame(
            frame.track,
            (frame.layer, frame.sent),
            frame.keyframe,
            frame.temporal,
            self.now,
        );
        self.send(from, &media(from, &routing, frame.bytes));
    }

    /// `level`: as in RFC 6464.
    pub(super) fn sound(&mut self, from: SessionId, track: Track, level: u8) {
        let routing = Routing {
            audio_level: level % 128,
            ..Routing::new(track, 0, true)
        };
        self.send(from, &media(from, &routing, 0));
    }

    /// Routes on the sender's relay and, over the bus, on the other one.
    pub(super) fn send(&mut self, from: SessionId, forward: &Forward) {
        let sender = &self.clients[&from];
        let (home, publishes) = (sender.relay, sender.can.publish_video);
        let route = self.relays[home].route(forward, self.now);
        let is_media = matches!(forward.content, Content::Media(_));
        assert_eq!(
            matches!(&route, Err(DropReason::NotAllowed)),
            is_media && !publishes
        );
        let (outcome, to_bus) = match route {
            Ok(route) => {
                let receivers = route.receivers().map(|(id, _)| id).collect();
                let outcome = if route.withheld {
                    assert_eq!(receivers, Vec::new());
                    Err(DropReason::Overload)
                } else {
                    Ok(receivers)
                };
                (outcome, route.to_bus)
            }
            Err(reason) => (Err(reason), false),
        };
        self.arrive(home, from, &forward.content, outcome);
        if to_bus && self.connected {
            let forward = from_relay(forward.packet.to_bytes()).unwrap();
            let route = self.relays[1 - home].route_from_relay(&forward, self.now);
            let outcome = route.map(|route| {
                assert!(!route.to_bus && !route.withheld);
                route.receivers().map(|(id, _)| id).collect()
            });
            self.arrive(1 - home, from, &forward.content, outcome);
        } else if let Some((track, frame)) = forward.content.video_of(Some(from)) {
            self.members_of(1 - home)
                .for_each(|client| client.miss(track, frame));
        }
    }

    /// What becomes of a packet on a relay.
    fn arrive(
        &mut self,
        relay: usize,
        from: SessionId,
        content: &Content,
        outcome: Result<Vec<SessionId>, DropReason>,
    ) {
        let video = content.video_of(Some(from));
        match outcome {
            Ok(receivers) => self.check_receivers(relay, from, content, &receivers),
            Err(DropReason::NotAllowed) => {}
            Err(DropReason::Quieter) => {
                assert!(voice(content).is_some() && self.next_id > LARGE_ABOVE as u64);
            }
            Err(DropReason::Overload) => {
                let (track, _) = video.unwrap();
                self.members_of(relay)
                    .for_each(|client| client.interrupt(track));
            }
            // A relay that was cut off may not know of the sender yet.
            Err(DropReason::NotMember) => {
                assert_ne!(self.clients[&from].relay, relay);
                if let Some((track, frame)) = video {
                    self.members_of(relay)
                        .for_each(|client| client.miss(track, frame));
                }
            }
            Err(other) => panic!("{other:?}"),
        }
        self.carry_out();
    }

    /// Everybody of this relay who may get it does, once, and never the sender; of video, what makes one picture.
    fn check_receivers(
        &mut self,
        relay: usize,
        from: SessionId,
        content: &Content,
        receivers: &[SessionId],
    ) {
        let now = self.now;
        let may_get = |client: &&mut Client| client.id != from && client.may_get(from, content);
        let members = self.clients.values_mut();
        let audience = members
            .filter(|client| client.relay == relay)
            .filter(may_get);
        let Some((track, frame)) = content.video_of(Some(from)) else {
            assert_eq!(receivers, audience.map(|c| c.id).collect::<Vec<_>>());
            if voice(content).is_some() {
                self.check_voice(relay, from);
            }
            return;
        };
        let mut unserved: BTreeSet<SessionId> = receivers.iter().copied().collect();
        assert_eq!(unserved.len(), receivers.len());
        let mut asking = Vec::new();
        for client in audience {
            let gets = unserved.remove(&client.id);
            if client.watch(track, frame, gets, now) {
                asking.push(client.id);
            }
        }
        assert!(unserved.is_empty(), "{unserved:?} must not get {track:?}");
        for id in asking {
            let target = KeyframeTarget::Track(track);
            self.relays[relay]
                .request_keyframe(id, &target, now)
                .unwrap();
        }
    }

    /// Each place among the loudest changes hands once in the time for which it is kept.
    fn check_voice(&mut self, relay: usize, from: SessionId) {
        let is_large = self.members_of(relay).count() > LARGE_ABOVE;
        let (now, hold) = (self.now, self.policy.voice_hold);
        let voices = &mut self.voices[relay];
        voices.insert(from, now);
        voices.retain(|_, at| is_large && now - *at < hold);
        assert!(voices.len() <= 2 * LOUDEST, "{voices:?}");
    }
}

pub(super) fn media(from: SessionId, routing: &Routing, bytes: u16) -> Forward {
    let payload = Bytes::from_static(&FRAME[..bytes.into()]);
    forwarded(
        &Packet::media(b"", None, routing, payload).to_bytes(),
        from.get(),
    )
}

/// The level of a voice that was measured.
fn voice(content: &Content) -> Option<u8> {
    match content {
        Content::Media(routing) if routing.track == Track::Microphone => {
            Some(routing.audio_level).filter(|level| *level > 0)
        }
        _ => None,
    }
}
