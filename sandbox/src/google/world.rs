//! What people own at Google, and what they let the product do with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::now_ms;
use crate::ids;

/// An access token lives that long, ms (Google says 3599 s of it).
pub(crate) const ACCESS_MS: i64 = 3_600_000;
/// A code must be exchanged within that, ms.
const CODE_MS: i64 = 600_000;
/// Living refresh tokens per Google account and client id; the oldest goes silently (PROVIDERS 6).
const MAX_GRANTS: usize = 100;

/// A Google account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Its address, also the id of its primary calendar.
    pub email: String,
    /// IANA name of its calendar's time zone.
    pub time_zone: String,
}

/// The accounts there are at the start, one per sample shop and one without a shop.
pub(crate) fn sample() -> Vec<User> {
    [("northwind@gmail.example", "America/New_York"), ("elodie@gmail.example", "Europe/Paris"), ("someone@gmail.example", "Europe/Berlin")]
        .map(|(email, zone)| User { email: email.to_owned(), time_zone: zone.to_owned() })
        .to_vec()
}

pub(crate) struct Code {
    pub(crate) email: String,
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Vec<String>,
    /// `code_challenge` and whether it is S256.
    pub(crate) challenge: Option<(String, bool)>,
    pub(crate) offline: bool,
    pub(crate) used: bool,
    pub(crate) expires_ms: i64,
}

#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) email: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) refresh_token: Option<String>,
    pub(crate) revoked: bool,
}

#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) email: String,
    pub(crate) scopes: Vec<String>,
    expires_ms: i64,
    grant: usize,
}

pub(crate) struct Event {
    /// The resource, without `etag`.
    pub(crate) resource: Value,
    /// The calendar's change that made it what it is.
    pub(crate) version: u64,
}

pub(crate) struct Calendar {
    pub(crate) id: String,
    pub(crate) summary: String,
    pub(crate) time_zone: String,
    /// Who may do what: `owner`, `writer`, `reader`, `freeBusyReader`.
    pub(crate) roles: BTreeMap<String, String>,
    pub(crate) events: BTreeMap<String, Event>,
    /// The newest change.
    pub(crate) version: u64,
    /// Sync tokens older than this are refused.
    pub(crate) sync_floor: u64,
    /// The reason `freeBusy` gives instead of an answer.
    pub(crate) unreadable: Option<String>,
}

impl Calendar {
    pub(crate) fn new(id: &str, summary: &str, time_zone: &str, owner: &str) -> Self {
        Self {
            id: id.to_owned(),
            summary: summary.to_owned(),
            time_zone: time_zone.to_owned(),
            roles: BTreeMap::from([(owner.to_owned(), "owner".to_owned())]),
            events: BTreeMap::new(),
            version: 1,
            sync_floor: 0,
            unreadable: None,
        }
    }
}

/// A notification channel.
#[derive(Clone)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) resource_id: String,
    pub(crate) resource_uri: String,
    pub(crate) token: Option<String>,
    pub(crate) address: String,
    pub(crate) expires_ms: i64,
    pub(crate) calendar: String,
    pub(crate) email: String,
    pub(crate) messages: u64,
}

/// A notification to be sent: the channel as it was, and `sync` or `exists`.
pub(crate) struct Pending {
    pub(crate) channel: Channel,
    pub(crate) state: &'static str,
}

pub(crate) struct Tab {
    pub(crate) id: i64,
    pub(crate) title: String,
    /// Rows of cells; a formula is `{"formula": "=…"}`, anything else its value.
    pub(crate) rows: Vec<Vec<Value>>,
}

pub(crate) struct Spreadsheet {
    pub(crate) owner: String,
    pub(crate) title: String,
    /// Whether `drive.file` reaches it: the app made it, or the user picked it.
    pub(crate) of_the_app: bool,
    pub(crate) tabs: Vec<Tab>,
}

/// Everything.
pub(crate) struct World {
    pub(crate) users: Vec<User>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) grants: Vec<Grant>,
    access: HashMap<String, Access>,
    consented: BTreeSet<String>,
    pub(crate) calendars: BTreeMap<String, Calendar>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) sheets: BTreeMap<String, Spreadsheet>,
}

impl World {
    pub(crate) fn new(users: &[User]) -> Self {
        let mut world = Self {
            users: Vec::new(),
            redirect_uris: Vec::new(),
            codes: HashMap::new(),
            grants: Vec::new(),
            access: HashMap::new(),
            consented: BTreeSet::new(),
            calendars: BTreeMap::new(),
            channels: Vec::new(),
            pending: Vec::new(),
            sheets: BTreeMap::new(),
        };
        for user in users {
            world.add_user(user.clone());
        }
        world
    }

    /// Adds an account with its primary calendar, or changes its time zone.
    pub(crate) fn add_user(&mut self, user: User) {
        let calendar = self
            .calendars
            .entry(user.email.clone())
            .or_insert_with(|| Calendar::new(&user.email, &user.email, &user.time_zone, &user.email));
        calendar.time_zone.clone_from(&user.time_zone);
        self.users.retain(|known| known.email != user.email);
        self.users.push(user);
    }

    /// A code for what was granted.
    pub(crate) fn add_code(
        &mut self,
        email: &str,
        redirect_uri: &str,
        scopes: Vec<String>,
        challenge: Option<(String, bool)>,
        refreshable: bool,
    ) -> String {
        let code = format!("4/0A{}", ids::random_text::<48>());
        let made = Code {
            email: email.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            scopes,
            challenge,
            offline: refreshable,
            used: false,
            expires_ms: now_ms() + CODE_MS,
        };
        self.codes.insert(code.clone(), made);
        code
    }

    /// Whether this account has never agreed before, which it has from now on.
    pub(crate) fn first_consent(&mut self, email: &str) -> bool {
        self.consented.insert(email.to_owned())
    }

    /// All scopes this account has granted so far.
    pub(crate) fn granted(&self, email: &str) -> BTreeSet<String> {
        self.grants.iter().filter(|g| g.email == email && !g.revoked).flat_map(|g| g.scopes.clone()).collect()
    }

    /// A grant; gives its place.
    pub(crate) fn grant(&mut self, email: &str, scopes: Vec<String>, refreshable: bool) -> usize {
        let refresh_token = refreshable.then(|| format!("1//0{}", ids::random_text::<48>()));
        self.grants.push(Grant { email: email.to_owned(), scopes, refresh_token, revoked: false });
        let living: Vec<usize> = (0..self.grants.len())
            .filter(|i| self.grants[*i].email == email && !self.grants[*i].revoked && self.grants[*i].refresh_token.is_some())
            .collect();
        if living.len() > MAX_GRANTS {
            self.grants[living[0]].revoked = true;
        }
        self.grants.len() - 1
    }

    /// A fresh access token of a grant.
    pub(crate) fn give_access(&mut self, grant: usize, lives_ms: i64) -> String {
        let token = format!("ya29.a0{}", ids::random_text::<60>());
        let Grant { email, scopes, .. } = self.grants[grant].clone();
        self.access.insert(token.clone(), Access { email, scopes, expires_ms: now_ms() + lives_ms, grant });
        token
    }

    /// What an `Authorization` header opens, if it still does.
    pub(crate) fn access(&self, header: &str) -> Option<Access> {
        let access = self.access.get(header.strip_prefix("Bearer ")?)?;
        (access.expires_ms > now_ms() && !self.grants[access.grant].revoked).then(|| access.clone())
    }

    pub(crate) fn account_of(&self, header: &str) -> Option<String> {
        self.access.get(header.strip_prefix("Bearer ")?).map(|access| access.email.clone())
    }

    /// The account behind an access or refresh token that has not been revoked.
    pub(crate) fn owner_of_token(&self, token: &str) -> Option<String> {
        let by_access = self.access.get(token).map(|access| access.grant);
        let grant = by_access.or_else(|| self.grants.iter().position(|g| g.refresh_token.as_deref() == Some(token)))?;
        (!self.grants[grant].revoked).then(|| self.grants[grant].email.clone())
    }

    /// Ends all grants of an account; it has to agree anew.
    pub(crate) fn revoke(&mut self, email: &str) {
        self.grants.iter_mut().filter(|g| g.email == email).for_each(|g| g.revoked = true);
        self.consented.remove(email);
        self.channels.retain(|c| c.email != email);
    }

    /// Access tokens of an account (of all, without one) are past their hour; its grants live on.
    pub(crate) fn expire_access(&mut self, email: Option<&str>) {
        self.access.values_mut().filter(|a| email.is_none_or(|e| e == a.email)).for_each(|a| a.expires_ms = 0);
    }

    /// The calendar a caller means: `primary` is their own.
    pub(crate) fn calendar_id(&self, named: &str, email: &str) -> String {
        if named == "primary" { email.to_owned() } else { named.to_owned() }
    }

    /// A change of this calendar was made: gives its number and has its channels told.
    pub(crate) fn changed(&mut self, calendar: &str) -> u64 {
        let version = self.calendars.get_mut(calendar).map_or(0, |c| {
            c.version += 1;
            c.version
        });
        let now = now_ms();
        for channel in self.channels.iter_mut().filter(|c| c.calendar == calendar && c.expires_ms > now) {
            // Numbers rise, but not by one: so it is documented.
            channel.messages += 1 + u64::from(rand::random::<u8>() % 3);
            self.pending.push(Pending { channel: channel.clone(), state: "exists" });
        }
        version
    }
}
