//! People who publish clips, for tests that are not in Rust:
//!
//! ```text
//! synthetic-publishers '{"server": "127.0.0.1:8080", "meeting": "daily", "people": [{"user": "ada", "clip": "ada.clip", "speaks": true}, ..]}'
//! ```
//!
//! prints `{"joined":..}`, how many, when all are in the meeting. A line on standard input is the user id of who shares a screen
//! from then on, empty for nobody. It is answered by one of what each of them does, such as
//! `[{"user":"ada","joined":true,"layers":[0],"screen":[],"frames":15}]`. It ends with its input.

#![expect(clippy::print_stdout, reason = "it talks to the test that starts it")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that starts it wrongly shall fail"
)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use testkit::synthetic::clip::Clip;
use testkit::synthetic::publisher::{Publisher, Setup};
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};
use tokio::sync::watch;

#[derive(Deserialize)]
struct Room {
    server: SocketAddr,
    meeting: String,
    people: Vec<Person>,
}

#[derive(Deserialize)]
struct Person {
    user: String,
    clip: PathBuf,
    #[serde(default)]
    speaks: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let room = std::env::args().nth(1).expect("who, as JSON");
    let room: Room = serde_json::from_str(&room).expect("who, as JSON");
    let count = room.people.len();
    let mut clips: HashMap<PathBuf, Arc<Clip>> = HashMap::new();
    let (share, sharing) = watch::channel(String::new());
    let mut told = Vec::new();
    for (index, person) in room.people.into_iter().enumerate() {
        let clip = clips
            .entry(person.clip)
            .or_insert_with_key(|path| Arc::new(Clip::read(path)));
        let (publisher, status) = Publisher::new(Setup {
            server: room.server,
            meeting: room.meeting.parse().expect("the meeting is an id"),
            user: person.user.parse().expect("the user is an id"),
            clip: Arc::clone(clip),
            speaks: person.speaks,
            sharing: sharing.clone(),
            phase: index as f64 / count as f64,
        });
        tokio::spawn(publisher.run());
        told.push(status);
    }
    for status in &mut told {
        let joined = status.wait_for(|status| status.joined);
        joined.await.expect("nobody gives up");
    }
    println!(r#"{{"joined":{count}}}"#);
    let mut lines = BufReader::new(stdin()).lines();
    while let Ok(Some(user)) = lines.next_line().await {
        share.send_if_modified(|sharing| std::mem::replace(sharing, user.clone()) != user);
        let now: Vec<_> = told.iter().map(|status| status.borrow().clone()).collect();
        println!("{}", serde_json::to_string(&now).unwrap());
    }
}
