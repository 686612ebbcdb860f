//! Commands in short, so that a test can list what it expects.

use bytes::Bytes;
use media_core::Command;
use media_core::command::{Lane, VideoEncoding};
use media_core::event::{Connection, Event, Participant, Picture};
use protobuf::Message as _;
use videocall_types::proto::control::{self as wire, KeyframeRequest};
use videocall_types::proto::media_packet::MediaPacket;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::wishes::FULL_HEIGHT;
use videocall_types::{LayerSet, Packet, PacketHeader, PacketKind, Resume, Routing, Track, Wishes};

pub(crate) fn command(command: &Command) -> String {
    match command {
        Command::FetchConfig => "fetch config".to_owned(),
        Command::OpenTransport { id, kind, url, .. } => {
            let late = if url.ends_with("&enter=late") {
                " late"
            } else {
                ""
            };
            format!("open {} {kind:?}{late}", id.0)
        }
        Command::CloseTransport { id, code } => format!("close {} {code:?}", id.0),
        Command::Send {
            id,
            packet: sent,
            lane,
        } => format!("send {} {} on {}", id.0, packet(sent), show_lane(*lane)),
        Command::Encode { track, layers } => {
            let layers = layers.iter().map(|layer| {
                let VideoEncoding {
                    max_height,
                    max_fps,
                    bitrate,
                } = layer.encoding;
                let number = layer.spatial_layer;
                format!(" {number}:{max_height}p{max_fps} {bitrate}")
            });
            format!("encode {track:?}{}", layers.collect::<String>())
        }
        Command::ForceKeyframe {
            track,
            spatial_layer,
        } => format!("force {track:?} {spatial_layer}"),
        Command::Decode(frame) => {
            let kind = if frame.keyframe { "key" } else { "delta" };
            format!(
                "decode {} {:?} {kind} {}",
                frame.session.get(),
                frame.track,
                frame.sequence
            )
        }
        Command::RestartDecoder { session, track } => {
            format!("restart decoder {} {track:?}", session.get())
        }
        Command::CloseDecoder { session, track } => {
            format!("close decoder {} {track:?}", session.get())
        }
        Command::Emit(shown) => event(shown),
    }
}

fn event(event: &Event) -> String {
    match event {
        Event::Connection(Connection::Connecting) => "connecting".into(),
        Event::Connection(Connection::Connected { transport, session }) => {
            format!("connected {transport:?} as {}", session.get())
        }
        Event::Connection(Connection::Reconnecting {
            attempt,
            retry_in_ms: 0,
        }) => format!("attempt {attempt}"),
        Event::Connection(Connection::Reconnecting { attempt, .. }) => {
            format!("wait for attempt {attempt}")
        }
        Event::Connection(Connection::Ended { reason }) => format!("ended {reason:?}"),
        Event::Participant(somebody) => participant(somebody),
        Event::Left { session } => format!("left {}", session.get()),
        Event::Picture {
            session,
            track,
            picture: Picture { shown, trouble },
        } => {
            let shown = if *shown { "shown" } else { "gone" };
            let trouble = trouble.map_or(String::new(), |trouble| format!(", {trouble:?}"));
            format!("picture {} {track:?} {shown}{trouble}", session.get())
        }
        Event::Speakers { sessions } => {
            let ids: Vec<u64> = sessions.iter().map(|session| session.get()).collect();
            format!("speakers {ids:?}")
        }
        Event::Stats(_) => "stats".into(),
    }
}

fn participant(somebody: &Participant) -> String {
    let states = [
        (somebody.camera, " camera"),
        (somebody.microphone, " microphone"),
        (somebody.screen, " screen"),
    ];
    let on: String = states
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, name)| *name)
        .collect();
    format!(
        "participant {} {}{on}",
        somebody.session.get(),
        somebody.user_id
    )
}

pub(crate) fn packet(packet: &Packet) -> String {
    let bytes: Bytes = packet.to_bytes();
    let header = PacketHeader::parse(&bytes).unwrap();
    match header.kind.unwrap() {
        PacketKind::KEYFRAME_REQUEST => {
            let request = KeyframeRequest::parse_from_bytes(&header.data).unwrap();
            let track = request
                .track
                .enum_value()
                .ok()
                .and_then(Track::from_wire)
                .unwrap();
            format!("keyframe request {} {track:?}", request.session_id)
        }
        PacketKind::WISHES => {
            let message = wire::Wishes::parse_from_bytes(&header.data).unwrap();
            wishes(&Wishes::from_wire(&message).unwrap())
        }
        PacketKind::ENTER => {
            let enter = wire::Enter::parse_from_bytes(&header.data).unwrap();
            match Resume::from_wire(&enter) {
                Some(resume) => format!("enter as {}", resume.session.get()),
                None => "enter".into(),
            }
        }
        PacketKind::MEDIA => media(&header),
        other => format!("{other:?}"),
    }
}

fn wishes(wishes: &Wishes) -> String {
    let shown: String = wishes
        .shown
        .iter()
        .map(|((session, track), height)| match *height {
            FULL_HEIGHT => format!(" {} {track:?} full", session.get()),
            height => format!(" {} {track:?} {height}", session.get()),
        })
        .collect();
    let others = if wishes.others { " others" } else { "" };
    format!("wishes{shown}{others}")
}

fn media(header: &PacketHeader) -> String {
    let media = MediaPacket::parse_from_bytes(&header.data).unwrap();
    match media.media_type.enum_value().unwrap() {
        MediaType::HEARTBEAT => {
            let state = &media.heartbeat_metadata;
            let states = [
                (state.video_enabled, " camera"),
                (state.audio_enabled, " microphone"),
                (state.screen_enabled, " screen"),
                (state.is_speaking, " speaking"),
            ];
            let on: String = states
                .iter()
                .filter(|(on, _)| *on)
                .map(|(_, name)| *name)
                .collect();
            format!("heartbeat{on}")
        }
        MediaType::RTT => "probe".into(),
        _ => {
            let routing = Routing::parse(&header.routing).unwrap();
            let Routing {
                track,
                sequence,
                spatial_layer,
                reference,
                layers,
                ..
            } = routing;
            let layer = if layers == LayerSet::only(spatial_layer) {
                String::new()
            } else {
                format!(" of layer {spatial_layer}")
            };
            let reference = if reference == 1 {
                String::new()
            } else {
                format!(" refers back {reference}")
            };
            format!(
                "{} {track:?} {sequence}{layer}{reference}",
                media.frame_type
            )
        }
    }
}

fn show_lane(lane: Lane) -> String {
    match lane {
        Lane::Control => "control".into(),
        Lane::Padding => "nothing in particular".into(),
        Lane::Track(track) => format!("stream of {track:?}"),
        Lane::Datagram(track) => format!("datagram of {track:?}"),
    }
}
