//! One meeting: before, during and after the call.

use std::str::FromStr;

use media_core::event::EndReason;
use videocall_client::support;
use videocall_types::id::IdError;
use videocall_types::{DisplayName, MeetingId, UserId};
use yew::prelude::*;

use super::call::CallPage;
use super::invalid_link::InvalidLink;
use super::over::{Ending, Over};
use super::prejoin::Prejoin;
use super::unsupported::Unsupported;
use crate::hooks::use_call::Visitor;
use crate::hooks::use_equipment::use_equipment;
use crate::hooks::use_spare_engine::use_spare_engine;
use crate::services::profile::Profile;
use crate::services::random;
use crate::state::names::user_id;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    /// The user id in the link, where it has one.
    #[prop_or_default]
    pub(crate) user: Option<AttrValue>,
    /// The meeting in the link.
    pub(crate) meeting: AttrValue,
}

/// Checks the link and the browser, then lets people in.
#[component]
pub(crate) fn Meeting(props: &Props) -> Html {
    let meeting = match parse::<MeetingId>("meeting", &props.meeting) {
        Ok(meeting) => meeting,
        Err(page) => return page,
    };
    let user = match props
        .user
        .as_ref()
        .map(|user| parse::<UserId>("user", user))
        .transpose()
    {
        Ok(user) => user,
        Err(page) => return page,
    };
    let missing = support::missing();
    if !missing.is_empty() {
        return html! { <Unsupported {missing} /> };
    }
    html! { <Visit {meeting} {user} /> }
}

/// The id, or the page that says what is wrong with it.
fn parse<Id: FromStr<Err = IdError>>(part: &'static str, text: &AttrValue) -> Result<Id, Html> {
    text.parse()
        .map_err(|error| html! { <InvalidLink {part} {text} {error} /> })
}

#[derive(Properties, PartialEq)]
struct VisitProps {
    meeting: MeetingId,
    user: Option<UserId>,
}

#[derive(Clone, PartialEq)]
enum Phase {
    Before,
    During(Visitor),
    After(Visitor, Ending),
}

/// Goes from the pre-join page into the call and out of it. The devices stay open from the first to the second.
#[component]
fn Visit(props: &VisitProps) -> Html {
    let phase = use_state(|| Phase::Before);
    let active = !matches!(*phase, Phase::After(..));
    let equipment = use_equipment(active);
    let engine = use_spare_engine();

    let on_join = {
        let (phase, user, meeting) = (phase.setter(), props.user.clone(), props.meeting.clone());
        Callback::from(move |name: DisplayName| {
            if let Some(user) = user.clone().or_else(|| own_user_id(&name)) {
                let name = name.or_user(&user);
                phase.set(Phase::During(Visitor {
                    user,
                    name,
                    meeting: meeting.clone(),
                }));
            }
        })
    };
    match &*phase {
        Phase::Before => html! {
            <Prejoin meeting={props.meeting.clone()} user={props.user.clone()} {equipment} {on_join} />
        },
        Phase::During(visitor) => {
            let on_over = {
                let (phase, visitor) = (phase.setter(), visitor.clone());
                move |ending| phase.set(Phase::After(visitor.clone(), ending))
            };
            let on_leave = {
                let (phase, visitor) = (phase.setter(), visitor.clone());
                move |()| {
                    phase.set(Phase::After(
                        visitor.clone(),
                        Ending::Ended(EndReason::Left),
                    ))
                }
            };
            html! { <CallPage visitor={visitor.clone()} {equipment} {engine} {on_leave} {on_over} /> }
        }
        Phase::After(visitor, ending) => {
            let on_rejoin = {
                let (phase, visitor) = (phase.setter(), visitor.clone());
                move |()| phase.set(Phase::During(visitor.clone()))
            };
            html! { <Over meeting={props.meeting.clone()} ending={ending.clone()} {on_rejoin} /> }
        }
    }
}

/// The user id of somebody whose link has none: made from the name, and the same the next time.
fn own_user_id(name: &DisplayName) -> Option<UserId> {
    let user = user_id(name, Profile::load().user.as_ref(), random::bytes())?;
    Profile::update(|profile| {
        name.as_str().clone_into(&mut profile.name);
        profile.user = Some(user.clone());
    });
    Some(user)
}
