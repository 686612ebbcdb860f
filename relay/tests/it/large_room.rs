//! A thousand sessions in one room of a real hub.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protobuf::Message as _;
use relay::duplex::Sent;
use relay::{Dialect, Policy};
use tokio::time::{Instant, sleep};
use videocall_types::proto::control::{Demand, Presence, Speakers};
use videocall_types::{
    Bytes, LayerSet, Packet, PacketHeader, PacketKind, Routing, SessionId, Track, TrackDemand,
    Wishes,
};

use crate::support::{Client, heartbeat, hub, packet};

const PEOPLE: usize = 1_000;
const CAMERAS: usize = 25;
/// Whose microphones are open, whether they speak or not.
const MICROPHONES: usize = 40;
const PRESENCE_INTERVAL: Duration = Duration::from_millis(50);
const SOUND_INTERVAL: Duration = Duration::from_millis(20);
/// After this much virtual time nothing is under way any more.
const SETTLED: Duration = Duration::from_millis(100);

/// What somebody got.
#[derive(Debug, Default)]
struct Received {
    /// Presence packets, and who is there by them.
    presence: usize,
    there: BTreeSet<u64>,
    /// Layers by source.
    video: BTreeMap<SessionId, BTreeSet<u8>>,
    frames: usize,
    voices: BTreeSet<SessionId>,
    /// Who speaks, as each message says.
    speakers: Vec<Vec<u64>>,
    /// The layers that are wanted of the own camera, if that was said.
    demand: Option<LayerSet>,
}

#[tokio::test(start_paused = true)]
async fn a_join_is_one_message_for_each_of_a_thousand() {
    let hub = hub(Policy::default()).await;
    let start = Instant::now();
    let mut crowd = Vec::new();
    for number in 0..PEOPLE {
        // Some come together, some later.
        if number % 100 == 0 {
            sleep(PRESENCE_INTERVAL / 2).await;
        }
        crowd.push(join(&hub, number).await);
    }
    let everybody: BTreeSet<u64> = crowd.iter().map(|client| client.session.get()).collect();
    let news = start.elapsed().as_millis() / PRESENCE_INTERVAL.as_millis();
    for (number, got) in receive(&mut crowd).await.into_iter().enumerate() {
        // The snapshot, what begins an interval and what ends one.
        assert!(
            got.presence as u128 <= news + 3,
            "{} messages",
            got.presence
        );
        let mut others = everybody.clone();
        others.remove(&crowd[number].session.get());
        assert_eq!(got.there, others, "whom {number} knows");
    }

    let mut newcomer = vec![join(&hub, PEOPLE).await];
    let id = newcomer[0].session.get();
    for got in receive(&mut crowd).await {
        assert_eq!((got.presence, got.there), (1, BTreeSet::from([id])));
    }
    assert_eq!(receive(&mut newcomer).await[0].there, everybody);

    newcomer.pop().unwrap().leave().await;
    for got in receive(&mut crowd).await {
        assert_eq!(got.presence, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn each_of_a_thousand_gets_the_video_that_it_shows() {
    let mut crowd = crowd().await;
    let cameras: Vec<SessionId> = crowd.iter().take(CAMERAS).map(|one| one.session).collect();
    for client in crowd.iter().take(CAMERAS) {
        client.send(heartbeat(true)).await;
    }
    // The first one large and the others small.
    let rows = |camera: &SessionId| if *camera == cameras[0] { 720 } else { 120 };
    let layer = |camera: &SessionId| if *camera == cameras[0] { 2 } else { 0 };
    for client in &crowd {
        let others = cameras.iter().filter(|camera| **camera != client.session);
        let shown = others.map(|camera| (*camera, rows(camera)));
        client.send(wishes(shown)).await;
    }
    // What is no longer wanted is told after a second.
    sleep(Duration::from_secs(2)).await;
    for (number, got) in receive(&mut crowd).await.into_iter().enumerate() {
        let wanted = cameras.get(number).map(|own| LayerSet::only(layer(own)));
        assert_eq!(got.demand, wanted, "what {number} is asked for");
    }

    for sequence in 0..3 {
        send_pictures(&crowd, sequence).await;
        for (number, got) in receive(&mut crowd).await.into_iter().enumerate() {
            let others = cameras.iter().filter(|one| **one != crowd[number].session);
            let shown = others.map(|one| (*one, BTreeSet::from([layer(one)])));
            assert_eq!(got.video, shown.collect(), "what {number} gets");
            assert!(got.frames <= CAMERAS);
        }
    }

    // Somebody turns to another page.
    let viewer = PEOPLE - 1;
    crowd[viewer]
        .send(wishes([(cameras[1], 120)].into_iter()))
        .await;
    receive(&mut crowd).await;
    send_pictures(&crowd, 3).await;
    let received = receive(&mut crowd).await;
    let shown: Vec<SessionId> = received[viewer].video.keys().copied().collect();
    assert_eq!(shown, [cameras[1]]);
    assert_eq!(received[viewer - 1].video.len(), CAMERAS);
}

#[tokio::test(start_paused = true)]
async fn each_of_a_thousand_hears_three_voices_and_whose_they_are() {
    let mut crowd = crowd().await;
    let mut sequence = 0;
    // Another one takes the place of the one who has stopped.
    for speakers in [[0, 1, 2], [0, 1, 30]] {
        speak(
            &crowd,
            speakers,
            Duration::from_millis(1_500),
            &mut sequence,
        )
        .await;
        for got in receive(&mut crowd).await {
            // The old voice and the new one are not heard at once.
            assert!(got.voices.len() <= 4, "{:?}", got.voices);
            let told = speakers.map(|speaker| crowd[speaker].session.get());
            assert_eq!(got.speakers.last(), Some(&told.into()));
            assert!(got.speakers.len() <= 3, "{:?}", got.speakers);
        }
        speak(&crowd, speakers, Duration::from_millis(500), &mut sequence).await;
        for (number, got) in receive(&mut crowd).await.into_iter().enumerate() {
            let others = speakers.iter().filter(|speaker| **speaker != number);
            let voices = others.map(|speaker| crowd[*speaker].session).collect();
            assert_eq!(got.voices, voices, "whom {number} hears");
        }
    }
}

async fn join(hub: &relay::Hub, number: usize) -> Client {
    Client::join(hub, "plenary", &format!("person-{number}"), Dialect::Native).await
}

/// Everybody, who know of each other.
async fn crowd() -> Vec<Client> {
    let hub = hub(Policy::default()).await;
    let mut crowd = Vec::new();
    for number in 0..PEOPLE {
        crowd.push(join(&hub, number).await);
    }
    receive(&mut crowd).await;
    crowd
}

/// What each got since the last time, when all is delivered.
async fn receive(crowd: &mut [Client]) -> Vec<Received> {
    sleep(SETTLED).await;
    let read = |client: &mut Client| {
        let mut got = Received::default();
        while let Some(sent) = client.peer.try_recv() {
            if let Sent::Packet(packet, _) = sent {
                got.add(&packet.to_bytes());
            }
        }
        assert!(client.is_connected());
        got
    };
    crowd.iter_mut().map(read).collect()
}

/// Each camera takes one picture, in three layers.
async fn send_pictures(crowd: &[Client], sequence: u64) {
    for client in crowd.iter().take(CAMERAS) {
        for spatial_layer in 0..3 {
            let routing = Routing {
                spatial_layer,
                layers: LayerSet::from_bits(0b111),
                ..Routing::new(Track::Camera, sequence, sequence == 0)
            };
            client.send(media(&routing)).await;
        }
    }
}

/// These speak for so long, while more microphones are open.
async fn speak(crowd: &[Client], speakers: [usize; 3], time: Duration, sequence: &mut u64) {
    for _ in 0..time.as_millis() / SOUND_INTERVAL.as_millis() {
        for (number, client) in crowd.iter().enumerate().take(MICROPHONES) {
            let routing = Routing {
                audio_level: if speakers.contains(&number) { 30 } else { 100 },
                ..Routing::new(Track::Microphone, *sequence, true)
            };
            client.send(media(&routing)).await;
        }
        *sequence += 1;
        sleep(SOUND_INTERVAL).await;
    }
}

fn media(routing: &Routing) -> Bytes {
    Packet::media(b"", None, routing, vec![0; 100].into()).to_bytes()
}

fn wishes(shown: impl Iterator<Item = (SessionId, u32)>) -> Bytes {
    let shown = shown.map(|(session, rows)| ((session, Track::Camera), rows));
    let wishes = Wishes {
        shown: shown.collect(),
        others: false,
    };
    packet(PacketKind::WISHES, &wishes.to_wire())
}

impl Received {
    fn add(&mut self, bytes: &Bytes) {
        let header = PacketHeader::parse(bytes).unwrap();
        match header.kind.unwrap() {
            PacketKind::PRESENCE => {
                let presence = Presence::parse_from_tokio_bytes(&header.data).unwrap();
                self.presence += 1;
                let there = presence.participants.iter().map(|one| one.session_id);
                self.there.extend(there);
            }
            PacketKind::SPEAKERS => {
                let speakers = Speakers::parse_from_tokio_bytes(&header.data).unwrap();
                self.speakers.push(speakers.session_ids);
            }
            PacketKind::DEMAND => {
                let demand = Demand::parse_from_tokio_bytes(&header.data).unwrap();
                let tracks = demand.tracks.iter().filter_map(TrackDemand::from_wire);
                let camera = tracks.filter(|demand| demand.track == Track::Camera).last();
                self.demand = camera.map(|demand| demand.layers).or(self.demand);
            }
            PacketKind::MEDIA => {
                let session = header.session_id.unwrap();
                let routing = Routing::parse(&header.routing).unwrap();
                if routing.track.is_audio() {
                    self.voices.insert(session);
                } else {
                    self.frames += 1;
                    let layers = self.video.entry(session).or_default();
                    layers.insert(routing.spatial_layer);
                }
            }
            _ => {}
        }
    }
}
