//! Simulcast and temporal layers as they are received.

use videocall_types::Routing;
use videocall_types::Track::Camera;

use crate::receiving::{REQUEST, decoded};
use crate::relay::routed;
use crate::rig::Rig;

/// `K7`: keyframe 7. `d8<3`: delta 8, which refers to frame 5. `2K7`: of layer 2.
fn frame(name: &str, capture_time_us: u64) -> bytes::Bytes {
    let (layer, rest) = match name.split_at(1) {
        (layer, rest) if layer.starts_with(|c: char| c.is_ascii_digit()) => {
            (layer.parse().unwrap(), rest)
        }
        _ => (0, name),
    };
    let (sequence, reference) = rest[1..].split_once('<').unwrap_or((&rest[1..], "1"));
    let routing = Routing {
        spatial_layer: layer,
        reference: reference.parse().unwrap(),
        capture_time_us,
        codec: Some(videocall_types::Codec::Vp9),
        ..Routing::new(Camera, sequence.parse().unwrap(), rest.starts_with('K'))
    };
    routed(2, &routing)
}

impl Rig {
    fn frames(&mut self, names: &[&str]) -> Vec<String> {
        let arrive = |name: &&str| self.receive(frame(name, 0));
        names.iter().flat_map(arrive).collect()
    }
}

#[test]
fn frames_that_were_left_out_for_us_are_not_missed() {
    let mut rig = Rig::with_ada();
    assert_eq!(
        rig.frames(&["K0", "d4<4", "d6<2", "d8<4", "d9", "d12<4"]),
        decoded(
            Camera,
            &[
                (0, true),
                (4, false),
                (6, false),
                (8, false),
                (9, false),
                (12, false)
            ]
        )
    );
    rig.shown(Camera);
    assert!(rig.pass(2900).is_empty(), "nothing is asked for");
    rig.shown(Camera);
    assert!(rig.frames(&["d14<1"]).is_empty());
    assert_eq!(rig.pass(100), [REQUEST]);
}

#[test]
fn a_frame_that_can_not_be_decoded_does_not_hold_up_others() {
    let mut rig = Rig::with_ada();
    let shown = rig.frames(&["K0", "d3<1", "d4<4", "d5"]);
    assert_eq!(shown, decoded(Camera, &[(0, true), (4, false), (5, false)]));
    rig.shown(Camera);
    assert!(rig.pass(2900).is_empty());
}

#[test]
fn another_layer_goes_on_from_its_keyframe() {
    let mut rig = Rig::with_ada();
    let shown = rig.frames(&["K0", "d1", "2K900", "2d901", "d2", "2d902", "K3"]);
    assert_eq!(
        shown,
        decoded(
            Camera,
            &[
                (0, true),
                (1, false),
                (900, true),
                (901, false),
                (902, false),
                (3, true)
            ]
        )
    );
    assert_eq!(rig.frames(&["2d903", "d4"]), decoded(Camera, &[(4, false)]));
    rig.shown(Camera);
    assert!(rig.pass(2900).is_empty());
}

#[test]
fn the_same_numbers_in_another_layer_are_other_frames() {
    let mut rig = Rig::with_ada();
    assert_eq!(
        rig.frames(&["K0", "1K0", "1d1", "1d1", "K0", "d1"]),
        decoded(
            Camera,
            &[(0, true), (0, true), (1, false), (0, true), (1, false)]
        )
    );
}

#[test]
fn what_came_before_the_keyframe_of_another_layer_leaves_before_it() {
    let mut rig = Rig::with_ada();
    // Uneven arrival makes frames wait.
    for n in 0..60_u64 {
        rig.pass(if n % 2 == 0 { 80 } else { 0 });
        let name = if n == 0 {
            "K0".to_owned()
        } else {
            format!("d{n}")
        };
        rig.receive(frame(&name, n * 40_000));
    }
    let at = 60 * 40_000;
    rig.pass(80);
    let mut shown = rig.receive(frame("d60", at));
    shown.extend(rig.receive(frame("2K7", at)));
    shown.extend(rig.receive(frame("d61", at + 40_000)));
    shown.extend(rig.receive(frame("2d8", at + 40_000)));
    shown.extend(rig.pass(400));
    assert_eq!(
        shown,
        decoded(Camera, &[(60, false), (7, true), (8, false)])
    );
}
