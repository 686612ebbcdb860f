//! Who is asked for a keyframe, and when.

use std::collections::BTreeSet;

use videocall_types::{SessionId, Timestamp};

use super::Room;
use crate::drop_reason::DropReason;
use crate::forward::{LayerId, TrackId};
use crate::ingress::KeyframeTarget;
use crate::layers::TrackLayers;
use crate::member::Dialect;
use crate::messages;

impl<H> Room<H> {
    /// Somebody needs a keyframe.
    ///
    /// # Errors
    /// The reason why nobody is asked for one.
    pub fn request_keyframe(
        &mut self,
        from: SessionId,
        target: &KeyframeTarget,
        now: Timestamp,
    ) -> Result<(), DropReason> {
        let member = self.members.get(&from).ok_or(DropReason::NotMember)?;
        if !member.can.receive_media {
            return Err(DropReason::NotAllowed);
        }
        let tracks: Vec<TrackId> = match target {
            KeyframeTarget::Track(track) => vec![*track],
            KeyframeTarget::User(user, track) => {
                let local = self
                    .members
                    .iter()
                    .filter(|(_, m)| m.profile.user == *user)
                    .map(|(session, _)| *session);
                let sessions = local.chain(self.remotes.sessions_of(user));
                sessions
                    .map(|session| TrackId {
                        session,
                        track: *track,
                    })
                    .collect()
            }
        };
        let layers: Vec<LayerId> = tracks
            .into_iter()
            // What is withheld gets its keyframe when it comes back.
            .filter(|track| track.session != from && self.last_n.passes(track))
            .map(|track| LayerId {
                track,
                spatial_layer: member.layer_of(&track),
            })
            .collect();
        for layer in layers {
            self.want_keyframe(layer, now);
        }
        Ok(())
    }

    pub(super) fn want_keyframe(&mut self, layer: LayerId, now: Timestamp) {
        let source = layer.track.session;
        let known = self.members.contains_key(&source) || self.remotes.contains(source);
        let layer = self.sent_for(layer);
        if known && self.keyframes.request(layer, now) {
            self.ask_for_keyframe(layer);
        }
    }

    /// The layer that is sent in the place of one that is not.
    fn sent_for(&self, layer: LayerId) -> LayerId {
        let sent = self.layers.get(&layer.track).map(TrackLayers::sent);
        let publisher = self.members.get(&layer.track.session);
        let spatial_layer = if publisher.is_some_and(|member| member.dialect == Dialect::Stock) {
            Some(0)
        } else {
            sent.and_then(|sent| sent.serving(layer.spatial_layer))
        };
        LayerId {
            spatial_layer: spatial_layer.unwrap_or(layer.spatial_layer),
            ..layer
        }
    }

    /// Members that wait for a keyframe go on when the publisher missed the request.
    pub(super) fn remind_of_keyframes(&mut self, now: Timestamp) {
        let picks = self.members.values().flat_map(|member| &member.picks);
        let waiting: BTreeSet<LayerId> = picks
            .filter(|(track, pick)| pick.is_waiting() && self.last_n.passes(track))
            .filter(|(track, _)| self.is_live(**track, now))
            .filter_map(|(track, pick)| {
                pick.target().map(|spatial_layer| LayerId {
                    track: *track,
                    spatial_layer,
                })
            })
            .collect();
        for layer in waiting {
            self.want_keyframe(layer, now);
        }
    }

    pub(super) fn ask_for_keyframe(&mut self, layer: LayerId) {
        let source = layer.track.session;
        let Some(publisher) = self.members.get(&source) else {
            self.publish(messages::remote_keyframe_request(self.server, layer));
            return;
        };
        let request = match publisher.dialect {
            Dialect::Native => messages::keyframe_request(layer),
            Dialect::Stock => {
                // It takes packets of session 0 for nobody's and may ignore them, so that it hears it from somebody.
                let asker = self
                    .presence
                    .told()
                    .chain(self.members.iter().map(|(id, m)| (*id, &m.profile)))
                    .find(|(session, _)| *session != source);
                messages::stock_keyframe_request(
                    &publisher.profile.user,
                    layer.track.track,
                    asker.map(|(session, profile)| (session, &profile.user)),
                )
            }
        };
        self.send(vec![source], request);
    }
}
