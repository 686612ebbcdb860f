//! Floors: what a fan-out costs that does nothing else. No identity, no rules, no queues that drop, no bus; packets go
//! as they came to everybody else who connected with the same path. A relay is as good as its distance to these.

mod group;
pub mod websocket;
pub mod webtransport;
