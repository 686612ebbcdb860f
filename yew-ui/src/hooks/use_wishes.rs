//! Receives only the pictures that are on the screen.

use videocall_client::Client;
use yew::prelude::*;

use super::use_hidden::use_hidden;
use crate::state::layout::Size;
use crate::state::tiles::Tiling;
use crate::state::wishes::wishes;

/// Tells the client which pictures the tiles show, when that changes. `container` is what the tiles are placed in.
#[hook]
pub(crate) fn use_wishes(client: Option<Client>, tiling: &Tiling, container: Size) {
    let hidden = use_hidden();
    // What is not measured yet shows nobody for a moment, which is no reason to stop anything.
    let known = hidden || container != Size::default();
    let pixel_ratio = gloo::utils::window().device_pixel_ratio();
    let wishes = known.then(|| wishes(tiling, pixel_ratio, hidden));
    use_effect_with((client, wishes), |(client, wishes)| {
        if let (Some(client), Some(wishes)) = (client, wishes) {
            client.wish(wishes);
        }
    });
}
