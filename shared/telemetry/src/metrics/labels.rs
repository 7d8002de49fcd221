//! The values of labels, each a closed list.

macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// The label's value.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

label! {
    /// Which way a change went.
    Direction {
        /// From CustomCRM to Exact Online.
        ToExact => "to-exact",
        /// From Exact Online to CustomCRM.
        ToCrm => "to-crm",
    }
}

label! {
    /// What became of a write.
    WriteOutcome {
        /// It was applied, and the other side's answer was seen.
        Applied => "applied",
        /// The search before a create found the record: it was adopted, none was created.
        Adopted => "adopted",
        /// The record had changed since it was last seen; nothing was written.
        Stale => "stale",
        /// The system refused the values.
        Rejected => "rejected",
        /// The record is no longer there.
        Gone => "gone",
        /// Nobody knows whether it was applied; it is searched for before it is repeated.
        Ambiguous => "ambiguous",
        /// It will be tried again.
        Retried => "retried",
    }
}

label! {
    /// How a message was settled.
    Settlement {
        /// It was handled.
        Done => "done",
        /// It will be delivered again later.
        Retried => "retried",
        /// It was laid aside until its connection gets on.
        LaidAside => "laid-aside",
        /// It could not be handled and lies in the dead-letter queue.
        Dead => "dead",
    }
}

label! {
    /// The window of a limit of Exact Online.
    QuotaWindow {
        /// Calls in a clock minute.
        Minute => "minute",
        /// Calls in a day (UTC).
        Day => "day",
        /// Calls of the token endpoint in a day (UTC).
        TokenDay => "token-day",
    }
}

label! {
    /// What a post to the address of a connection's webhooks was.
    WebhookResult {
        /// A notification that leads to a read.
        Hint => "hint",
        /// The empty body by which the address is tried.
        Validation => "validation",
        /// A notification of something that is not kept, or not ours: accepted, and ignored.
        Ignored => "ignored",
        /// Not signed with our secret, or no notification at all.
        Forged => "forged",
        /// Signed, but sent too long ago.
        Late => "late",
        /// A notification that had been taken in before.
        Replayed => "replayed",
        /// Larger than any notification.
        TooLarge => "too-large",
    }
}

label! {
    /// What came of reading the configuration anew.
    ReloadResult {
        /// All of it is in force.
        Applied => "applied",
        /// What can be is in force; the rest waits for a restart.
        RestartNeeded => "restart-needed",
        /// It can't work, and what was in force before is still.
        Refused => "refused",
    }
}

label! {
    /// A part of the way of a change.
    Hop {
        /// From the edit, by its system's clock, until its observation was published.
        Collect => "collect",
        /// From a message to the mapper until that has decided.
        Map => "map",
        /// From the decision to write until a writer has claimed it: the wait for a quota is here.
        Claim => "claim",
        /// From the claim until the system has answered.
        Apply => "apply",
    }
}

label! {
    /// Where links stand that are counted.
    LinkState {
        /// All of them.
        All => "all",
        /// One record, no partner yet.
        Unmatched => "unmatched",
        /// A write is queued or under way.
        Pending => "pending",
        /// It waits for another link.
        Parked => "parked",
        /// It waits for a person: a conflict, or several partners to choose from.
        Held => "held",
        /// A system has refused what it would write.
        Refused => "refused",
    }
}
