//! Whatever members do and say, the rooms of two relays keep their promises: those of the property test `random_rooms`, whose
//! world this is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use world::World;
use world::operation::Operation;

#[path = "../../relay-core/tests/it/world/mod.rs"]
mod world;

/// Enough for a full room on each relay, and for its members to do something.
const MOST: usize = 200;

fuzz_target!(|operations: Vec<Operation>| {
    let mut world = World::new();
    for operation in operations.iter().take(MOST) {
        world.apply(operation);
    }
    world.check_convergence();
});
