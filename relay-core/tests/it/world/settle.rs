//! What becomes of a room in which everybody does as told for a while.

use std::collections::BTreeMap;
use std::time::Duration;

use relay_core::{Dialect, Level, TrackId};
use videocall_types::layers::{ladder, layer_for};
use videocall_types::{LayerSet, SessionId, Timestamp, Track};

use super::World;
use super::client::Client;
use super::media::Frame;

/// Time between two pictures.
const PICTURE: Duration = Duration::from_millis(500);
/// Long enough for whoever is away to be given up, and for what was told to be told again.
const PICTURES: u8 = 36;
/// When nothing changes any more.
const SETTLED: u8 = 30;

/// What a relay counts for a voice, in bits per second.
const VOICE: u64 = 50_000;

impl World {
    /// With the bus up and no load, when everybody does as told, everybody knows everybody and nobody else, each picture that is
    /// shown moves, as large as it is shown, nobody sends what nobody gets, and that stays so.
    pub(crate) fn check_convergence(&mut self) {
        self.mend();
        for relay in &mut self.relays {
            relay.set_level(Level::Normal, self.now);
        }
        self.carry_out();
        let mut sent = BTreeMap::new();
        for picture in 0..PICTURES {
            let before = std::mem::replace(&mut sent, self.film_all(picture));
            assert!(picture < SETTLED || sent == before, "{before:?}, {sent:?}");
            self.wait(PICTURE);
        }
        assert!(self.clients.values().all(|c| c.absent_until.is_none()));
        let now = self.now;
        let since =
            Timestamp::from_micros((now - Timestamp::ZERO - 4 * PICTURE).as_micros() as u64);
        for client in self.clients.values() {
            self.check_presence(client);
            self.check_redundancy(client);
            for track in [Track::Camera, Track::Screen] {
                self.check_track(client, track, since);
            }
            assert!(client.wanted.is_none() || self.is_narrow(client));
        }
    }

    /// Everybody sends the layers that it was told; which those are.
    fn film_all(&mut self, picture: u8) -> BTreeMap<(SessionId, Track), LayerSet> {
        let filming: Vec<(SessionId, Track)> = self
            .clients
            .values()
            .filter(|c| c.absent_until.is_none() && c.can.publish_video)
            .flat_map(|c| c.publishes.iter().map(|track| (c.id, *track)))
            .collect();
        let mut all_sent = BTreeMap::new();
        for (id, track) in filming {
            let client = self.clients.get_mut(&id).unwrap();
            let sent = client.due_layers(track);
            let source = client.sources.entry(track).or_default();
            let keyframes: LayerSet = sent
                .iter()
                .filter(|layer| source.asked.contains(*layer) || !source.sent.contains(*layer))
                .collect();
            source.sent = sent;
            all_sent.insert((id, track), sent);
            for layer in sent.iter() {
                let frame = Frame {
                    track,
                    layer,
                    sent,
                    keyframe: keyframes.contains(layer),
                    temporal: [0, 2, 1, 2][usize::from(picture % 4)],
                    bytes: 1_000,
                };
                self.film(id, frame);
            }
        }
        all_sent
    }

    fn check_presence(&self, client: &Client) {
        let others = self.clients.values().filter(|other| other.id != client.id);
        let known: BTreeMap<_, _> = others
            .map(|other| {
                let tracks = match client.dialect {
                    Dialect::Native => other.publishes.clone(),
                    Dialect::Stock => [].into(),
                };
                (other.id, tracks)
            })
            .collect();
        assert_eq!(client.present, known, "as {} knows it", client.id);
    }

    /// What whoever lacks most lacks, of those whose connection carries more.
    fn check_redundancy(&self, publisher: &Client) {
        let mut lacked = BTreeMap::new();
        for client in self.clients.values() {
            if client.id != publisher.id && client.can.receive_media && client.limit.is_none() {
                for ((of, track), frames) in &client.lacks.frames {
                    if *of == publisher.id {
                        let most = lacked.entry((*of, *track)).or_insert(0);
                        *most = (*frames).max(*most);
                    }
                }
            }
        }
        if publisher.dialect == Dialect::Native {
            assert_eq!(publisher.repeats.frames, lacked, "of {}", publisher.id);
        }
    }

    /// Whether a member's connection may carry less than what it shows of all that others publish.
    fn is_narrow(&self, client: &Client) -> bool {
        let others = self.clients.values().filter(|other| other.id != client.id);
        let published =
            others.flat_map(|other| other.publishes.iter().map(move |track| (other, *track)));
        let most = published.filter_map(|(other, track)| {
            let height = client.wishes.height(other.id, track)?;
            let layer = ladder(track)[usize::from(layer_for(track, height))];
            Some(u64::from(layer.bitrate))
        });
        let most = most.sum::<u64>() + 3 * VOICE;
        client.limit.is_some_and(|limit| limit < most + most / 5)
    }

    fn check_track(&self, publisher: &Client, track: Track, since: Timestamp) {
        let id = TrackId {
            session: publisher.id,
            track,
        };
        let is_live = publisher.publishes.contains(&track);
        let is_sent = is_live && publisher.can.publish_video;
        let sent = publisher.due_layers(track);
        let mut wanted = LayerSet::EMPTY;
        let mut shown = LayerSet::EMPTY;
        let mut is_narrow = false;
        for client in self.clients.values().filter(|c| c.id != publisher.id) {
            let height = client.wishes.height(publisher.id, track);
            let height = height.filter(|_| client.can.receive_media);
            let layer = height.map(|height| layer_for(track, height));
            let shows = client.shows(id, since);
            wanted = wanted.union(layer.into_iter().collect());
            shown = shown.union(shows.into_iter().collect());
            if self.is_narrow(client) {
                is_narrow |= layer.is_some();
            } else if is_sent {
                let serves = layer.and_then(|layer| publisher.has.serving(layer));
                assert_eq!(shows, serves, "what {} sees of {id:?}", client.id);
            }
        }
        if publisher.dialect == Dialect::Stock {
            return;
        }
        if is_sent {
            assert_eq!(sent, shown, "what {} sends of its {track:?}", publisher.id);
        }
        if is_live && !is_narrow {
            assert_eq!(publisher.demand(track), wanted, "of {id:?}");
        }
    }
}
