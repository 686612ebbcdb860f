//! Whatever another relay says, a room goes on.

#![no_main]

use libfuzzer_sys::fuzz_target;
use relay_core::policy::RoomPolicy;
use relay_core::{Dialect, NewMember, Room};
use videocall_types::claims::Capabilities;
use videocall_types::{Bytes, DisplayName, ServerId, SessionId, Timestamp};

fuzz_target!(|events: Vec<(u16, Vec<u8>)>| {
    let mut now = Timestamp::ZERO;
    let meeting = "room".parse().expect("an id");
    let mut room = Room::new(meeting, ServerId(1), RoomPolicy::default(), 0, now);
    let member = NewMember {
        session: SessionId::new(7).expect("not zero"),
        user: "ada".parse().expect("an id"),
        name: DisplayName::new("Ada"),
        dialect: Dialect::Native,
        can: Capabilities::default(),
        secret: None,
    };
    room.join(member, (), now).expect("there is room");
    for (millis, event) in events {
        now = now + std::time::Duration::from_millis(millis.into());
        room.handle_timeout(now);
        while room.poll_command().is_some() {}
        let _ = room.handle_bus_event(&Bytes::from(event), now);
        while room.poll_command().is_some() {}
    }
});
