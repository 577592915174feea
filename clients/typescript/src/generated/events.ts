// Made by `npm run generate` of events/schemas. Do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A mailbox in a header. */
        address: {
            /** @description The address as the mail has it; empty only in from, where none can be read. */
            address: string;
            /** @description The display name, decoded; absent if there is none. */
            name?: string;
        };
        /** @description The results of RFC 8601; each is absent if Gmail said nothing of the kind. */
        authentication: {
            /** @description Whether a signature is good, of whatever domain; pass if any of several is. */
            dkim?: components["schemas"]["verdict"];
            /** @description pass: the domain of from stands behind the mail, by one of the two. Absent also if Gmail judged another address than from. */
            dmarc?: components["schemas"]["verdict"];
            /** @description Whether the delivering server may send for the envelope's domain, which need not be that of from. */
            spf?: components["schemas"]["verdict"];
        };
        /** @description What kind of automatic mail it is. Of several kinds the first of bounce, reply, list and notification counts. */
        automatic: {
            /** @description What a bounce is about; only where the mail was read with its parts. */
            bounce?: components["schemas"]["bounce"];
            /**
             * @description bounce: a report about a mail that was sent. reply: a program's answer, such as an out-of-office reply. list: mail to many. notification: anything else that a program sent by itself, such as a read receipt.
             * @enum {unknown}
             */
            kind: "bounce" | "reply" | "list" | "notification";
            /** @description List-Id of the mailing list that it came through, without angle brackets. */
            list_id?: string;
        };
        /** @description What a delivery status notification (RFC 3464) says. */
        bounce: {
            /** @description The Message-ID of the mail that it is about, in angle brackets. */
            message_id?: string;
            /** @description The recipients that it is about. */
            recipients: {
                /**
                 * @description What became of the mail.
                 * @enum {unknown}
                 */
                action?: "failed" | "delayed" | "delivered" | "relayed" | "expanded";
                /** @description The address that was not reached. */
                recipient: string;
                /** @description An enhanced status code (RFC 3463): 5 is permanent, 4 may pass. */
                status?: string;
            }[];
        };
        /** @description The connector that the event is about. */
        connector: {
            /** @description The mailbox's address when the event was decided, in lower case. It may change; the id does not. */
            email_address: string;
            /** @description The connector's id. A reconnect keeps it; a new connect after a disconnect makes a new one. */
            id: string;
            /**
             * @description Whose mail it reads.
             * @enum {unknown}
             */
            provider: "gmail" | "outlook";
        };
        /** @description A user connected a mailbox for the first time. Once for each connector. */
        CONNECTOR_CONNECTED: {
            connector: components["schemas"]["connector"];
            /** @description The identity of the event: a repetition has the same id and the same bytes. Handle an id once. */
            event_id: string;
            /** @description Google's scopes that the user granted. */
            granted_scopes: string[];
            /** @description When it was decided. It may be published later. */
            occurred_at: components["schemas"]["timestamp"];
            /** @description Whose connector it is: the owner claim of the user's token. */
            owner_id: string;
            /**
             * @description Raised when a field goes or changes its meaning.
             * @constant
             */
            schema_version: 1;
        };
        /** @description A connector ends: nothing of it fires from now on. Once for each connector, when its end begins. */
        CONNECTOR_DISCONNECTED: {
            connector: components["schemas"]["connector"];
            /** @description The identity of the event: a repetition has the same id and the same bytes. Handle an id once. */
            event_id: string;
            /** @description When it was decided. It may be published later. */
            occurred_at: components["schemas"]["timestamp"];
            /** @description Whose connector it is: the owner claim of the user's token. */
            owner_id: string;
            /**
             * @description Raised when a field goes or changes its meaning.
             * @constant
             */
            schema_version: 1;
        };
        /** @description Only the user can mend the connector, by connecting again. Once for each grant that ends. */
        CONNECTOR_NEEDS_REAUTH: {
            connector: components["schemas"]["connector"];
            /** @description The identity of the event: a repetition has the same id and the same bytes. Handle an id once. */
            event_id: string;
            /** @description When it was decided. It may be published later. */
            occurred_at: components["schemas"]["timestamp"];
            /** @description Whose connector it is: the owner claim of the user's token. */
            owner_id: string;
            /** @description What Google said, or told us, for people to read. Its words may change. */
            reason: string;
            /**
             * @description Raised when a field goes or changes its meaning.
             * @constant
             */
            schema_version: 1;
        };
        /** @description The user connected again a connector that needed it; mail of the time between fires now. Once for each such reconnect. */
        CONNECTOR_RECOVERED: {
            connector: components["schemas"]["connector"];
            /** @description The identity of the event: a repetition has the same id and the same bytes. Handle an id once. */
            event_id: string;
            /** @description When it was decided. It may be published later. */
            occurred_at: components["schemas"]["timestamp"];
            /** @description Whose connector it is: the owner claim of the user's token. */
            owner_id: string;
            /**
             * @description Raised when a field goes or changes its meaning.
             * @constant
             */
            schema_version: 1;
        };
        /** @description The normalized event of what was sent to a webhook trigger. */
        event: {
            /**
             * @description What kind of source it came from.
             * @constant
             */
            connector_type: "webhook";
            /** @description The payload's data, whatever its JSON type; the whole payload if it has no data. */
            data: unknown;
            /** @description The payload's event_type, or "custom" if it has none. */
            event_type: string;
            /** @description The payload's text as it came: a JSON object of at most 16 KiB. */
            raw_payload: string;
            /** @description The payload's resource_id, or null. */
            resource_id: string | null;
            /** @description The payload's resource_type, or null. */
            resource_type: string | null;
            /** @description When it was received. */
            timestamp: components["schemas"]["timestamp"];
        };
        /** @description Gmail had lost history, and what arrived in that time was replayed by date. Once for each gap, when its replay is done. */
        HISTORY_GAP_RECOVERED: {
            /** @description Where the time that was replayed begins. */
            after: components["schemas"]["timestamp"];
            /** @description Where it ends. */
            before: components["schemas"]["timestamp"];
            connector: components["schemas"]["connector"];
            /** @description The identity of the event: a repetition has the same id and the same bytes. Handle an id once. */
            event_id: string;
            /** @description How many firings came of them: each has its own TRIGGER_FIRED. */
            fired: number;
            /** @description How many messages were looked at. */
            messages: number;
            /** @description What no date can bring back, for people to read. */
            not_recovered: string[];
            /** @description When it was decided. It may be published later. */
            occurred_at: components["schemas"]["timestamp"];
            /** @description Whose connector it is: the owner claim of the user's token. */
            owner_id: string;
            /**
             * @description Raised when a field goes or changes its meaning.
             * @constant
             */
            schema_version: 1;
        };
        /** @description The unified message, without its body. What a sender could make endless is cut short. */
        message: {
            /** @description True if only headers may be read and they leave it open: `has_attachments` is a guess. Otherwise absent. */
            attachments_unknown?: boolean;
            /** @description What Gmail's receiving server found out about the sender; absent if it said nothing. What a sender wrote into the mail about itself is not in it. */
            authentication?: components["schemas"]["authentication"];
            /** @description That no person wrote it, as its own headers say, which any sender can write or leave out; absent of a person's mail. Do not answer automatic mail. */
            automatic?: components["schemas"]["automatic"];
            /** @description The Cc header's addresses. */
            cc: components["schemas"]["address"][];
            /** @description The first address of the From header. If none can be read, what From shows as a name, with an empty address; absent if it shows nothing. Whoever sends a mail can write any address there: authentication.dmarc says whether its domain stands behind the mail. */
            from?: components["schemas"]["address"];
            /** @description Whether a part is neither a body nor shown by the HTML, also within a mail within the mail. */
            has_attachments: boolean;
            /** @description What a reply needs. A header that the mail lacks is absent. */
            headers: {
                /** @description In-Reply-To. */
                in_reply_to?: string;
                /** @description Message-ID. */
                message_id?: string;
                /** @description References. */
                references?: string;
            };
            /** @description Gmail's id of the message, unique within the mailbox. */
            id: string;
            /** @description The labels that it carried when it was read. */
            label_ids: string[];
            /** @description What Gmail says beside the mail. */
            metadata: {
                /** @description Gmail's history id of its last change, an unsigned 64-bit integer in decimal. */
                history_id?: string;
                /** @description In bytes. */
                size_estimate: number;
            };
            /** @description The Reply-To header's addresses. */
            reply_to: components["schemas"]["address"][];
            /** @description Gmail's extract of the text. */
            snippet: string;
            /** @description Decoded; absent if the mail has none. */
            subject?: string;
            /** @description Gmail's id of its thread. */
            thread_id: string;
            /** @description When Gmail received it, not what its Date header claims. */
            timestamp: components["schemas"]["timestamp"];
            /** @description The To header's addresses. */
            to: components["schemas"]["address"][];
        };
        /** @description A message fails again and again; it is set aside, the rest of its mailbox goes on, and it is tried again by itself. Once for each time that it is set aside. */
        MESSAGE_PARKED: {
            connector: components["schemas"]["connector"];
            /** @description The identity of the event: a repetition has the same id and the same bytes. Handle an id once. */
            event_id: string;
            /** @description The message that was set aside. */
            message: {
                /** @description Gmail's id of the message. */
                id: string;
            };
            /** @description When it was decided. It may be published later. */
            occurred_at: components["schemas"]["timestamp"];
            /** @description Whose connector it is: the owner claim of the user's token. */
            owner_id: string;
            /** @description What its last try met, for people to read. */
            reason: string;
            /**
             * @description Raised when a field goes or changes its meaning.
             * @constant
             */
            schema_version: 1;
        };
        /**
         * Format: date-time
         * @description A moment in UTC, RFC 3339, always with milliseconds, so that moments also sort as text.
         */
        timestamp: string;
        TRIGGER_FIRED: components["schemas"]["TRIGGER_FIRED_EMAIL"] | components["schemas"]["TRIGGER_FIRED_WEBHOOK"];
        /** @description A trigger fired: a message matched it (type email), or a request fired it (type webhook). Once for each pair of trigger and message, or of trigger and delivery. */
        TRIGGER_FIRED_EMAIL: {
            connector: components["schemas"]["connector"];
            /** @description What led to it. Both are absent if no push did. */
            correlation: {
                /** @description The history id that the push told, an unsigned 64-bit integer in decimal. */
                history_id?: string;
                /** @description Pub/Sub's id of the push. */
                pubsub_message_id?: string;
            };
            /** @description The identity of the event: a repetition has the same id and the same bytes. Handle an id once. */
            event_id: string;
            /** @description When it was decided. It may be published later. */
            fired_at: components["schemas"]["timestamp"];
            /** @description The message that matched; of type email alone. */
            message: components["schemas"]["message"];
            /** @description Whose connector it is: the owner claim of the user's token. */
            owner_id: string;
            /**
             * @description Raised when a field goes or changes its meaning.
             * @constant
             */
            schema_version: 1;
            /** @description The trigger that fired. */
            trigger: {
                /** @description The agent that the trigger names, or null. */
                agent_id: string | null;
                /** @description The trigger's id. */
                id: string;
                /**
                 * @description What fires it: mail that arrives (email), or a request (webhook).
                 * @constant
                 */
                type: "email";
            };
        };
        /** @description A trigger fired: a message matched it (type email), or a request fired it (type webhook). Once for each pair of trigger and message, or of trigger and delivery. */
        TRIGGER_FIRED_WEBHOOK: {
            connector: components["schemas"]["connector"];
            /** @description What led to it. Both are absent if no push did. */
            correlation: {
                /** @description The history id that the push told, an unsigned 64-bit integer in decimal. */
                history_id?: string;
                /** @description Pub/Sub's id of the push. */
                pubsub_message_id?: string;
            };
            /** @description What was sent; of type webhook alone. */
            event: components["schemas"]["event"];
            /** @description The identity of the event: a repetition has the same id and the same bytes. Handle an id once. */
            event_id: string;
            /** @description When it was decided. It may be published later. */
            fired_at: components["schemas"]["timestamp"];
            /** @description Whose connector it is: the owner claim of the user's token. */
            owner_id: string;
            /**
             * @description Raised when a field goes or changes its meaning.
             * @constant
             */
            schema_version: 1;
            /** @description The trigger that fired. */
            trigger: {
                /** @description The agent that the trigger names, or null. */
                agent_id: string | null;
                /** @description The trigger's id. */
                id: string;
                /**
                 * @description What fires it: mail that arrives (email), or a request (webhook).
                 * @constant
                 */
                type: "webhook";
            };
        };
        /** @enum {unknown} */
        verdict: "pass" | "fail" | "softfail" | "neutral" | "none" | "temperror" | "permerror" | "policy";
        /** @description Gmail stopped notifying: a renewal was due and failed until the watch ended. Mail is found by comparing meanwhile. Once for each watch. */
        WATCH_LAPSED: {
            connector: components["schemas"]["connector"];
            /** @description The identity of the event: a repetition has the same id and the same bytes. Handle an id once. */
            event_id: string;
            /** @description When the watch ended. */
            lapsed_at: components["schemas"]["timestamp"];
            /** @description When it was decided. It may be published later. */
            occurred_at: components["schemas"]["timestamp"];
            /** @description Whose connector it is: the owner claim of the user's token. */
            owner_id: string;
            /** @description Why the last renewal failed, for people to read; null if none was tried. */
            reason: string | null;
            /**
             * @description Raised when a field goes or changes its meaning.
             * @constant
             */
            schema_version: 1;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
