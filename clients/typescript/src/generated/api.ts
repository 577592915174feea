// Made by `npm run generate` of openapi.json. Do not edit.

export interface paths {
    "/api/auth/google/gmail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Connects a mailbox with the code that Google gave the user.
         * @description Needs the role `operator` where roles are configured.
         */
        post: operations["connect"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/google/gmail/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Sends a browser on that Google returned here. */
        get: operations["connect_callback"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/google/gmail/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Begins the redirect flow.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["connect_start"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/google/risc": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes Google's security events (RISC). */
        post: operations["security_event"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/microsoft/outlook": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Connects a mailbox with the code that Microsoft gave the user.
         * @description Needs the role `operator` where roles are configured.
         */
        post: operations["connect_outlook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/microsoft/outlook/admin-consent": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where an administrator consents for a whole organization.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["connect_outlook_admin_consent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/microsoft/outlook/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Sends a browser on that Microsoft returned here. */
        get: operations["connect_outlook_callback"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/microsoft/outlook/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Begins the redirect flow at Microsoft.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["connect_outlook_start"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connect-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Lets a page connect one mailbox for the user, within a quarter of an hour.
         * @description Needs the role `operator` where roles are configured.
         */
        post: operations["connect_sessions_open"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connect-sessions/current": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells a page what its connect session is for, by the session's token. */
        get: operations["connect_sessions_current"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists connectors.
         * @description Needs the role `viewer` where roles are configured.
         */
        get: operations["connectors_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a connector.
         * @description Needs the role `viewer` where roles are configured.
         */
        get: operations["connectors_get"];
        put?: never;
        post?: never;
        /**
         * Disconnects a mailbox.
         * @description Needs the role `admin` where roles are configured.
         */
        delete: operations["connectors_delete"];
        options?: never;
        head?: never;
        /**
         * Pauses a connector or lets it go on, and names it.
         * @description Needs the role `operator` where roles are configured.
         */
        patch: operations["connectors_change"];
        trace?: never;
    };
    "/api/connectors/{connector_id}/drafts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists drafts, newest first.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["drafts_list"];
        put?: never;
        /**
         * Makes a draft.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["drafts_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/drafts/{draft_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a draft.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["drafts_get"];
        /**
         * Replaces a draft's mail.
         * @description Needs the role `admin` where roles are configured.
         */
        put: operations["drafts_update"];
        post?: never;
        /**
         * Deletes a draft for good.
         * @description Needs the role `admin` where roles are configured.
         */
        delete: operations["drafts_delete"];
        options?: never;
        head?: never;
        /**
         * Changes a draft; what is absent stays.
         * @description Needs the role `admin` where roles are configured.
         */
        patch: operations["drafts_patch"];
        trace?: never;
    };
    "/api/connectors/{connector_id}/drafts/{draft_id}/send": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a draft; never twice by itself.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["drafts_send"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tells how a connector is.
         * @description Needs the role `viewer` where roles are configured.
         */
        get: operations["connectors_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/labels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists all labels, without counts.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["labels_list"];
        put?: never;
        /**
         * Makes a label.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["labels_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/labels/{label_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a label with its counts.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["labels_get"];
        put?: never;
        post?: never;
        /**
         * Deletes a label for good, and takes it off all messages.
         * @description Needs the role `admin` where roles are configured.
         */
        delete: operations["labels_delete"];
        options?: never;
        head?: never;
        /**
         * Changes a label; what is absent stays.
         * @description Needs the role `admin` where roles are configured.
         */
        patch: operations["labels_update"];
        trace?: never;
    };
    "/api/connectors/{connector_id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists messages, newest first.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["messages_list"];
        put?: never;
        /**
         * Sends a mail; never twice by itself.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["messages_send"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/messages/{message_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a message.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["messages_get"];
        put?: never;
        post?: never;
        /**
         * Moves a message to the trash, or deletes it for good.
         * @description Needs the role `admin` where roles are configured.
         */
        delete: operations["messages_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/messages/{message_id}/attachments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists a message's attachments.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["attachments_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/messages/{message_id}/attachments/{part_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Downloads an attachment, whole or a range of it.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["attachments_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/messages/{message_id}/attachments/{part_id}/url": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Answers a URL from which an attachment of any size can be downloaded for 15 minutes.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["attachments_url"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/messages/{message_id}/modify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Changes a message's labels.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["messages_modify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/messages/{message_id}/trash": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Moves a message to the trash.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["messages_trash"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/messages/{message_id}/untrash": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes a message out of the trash.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["messages_untrash"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/messages/batch-delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Moves up to 1000 messages to the trash, or deletes them for good.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["messages_batch_delete"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/messages/batch-modify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Changes the labels of up to 1000 messages.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["messages_batch_modify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/rehearsals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries filters, before a trigger has them, on the mail of the last days.
         * @description Needs the role `operator` where roles are configured.
         */
        post: operations["connectors_rehearse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/sync": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Looks at the mailbox now, and at what was set aside in it.
         * @description Needs the role `operator` where roles are configured.
         */
        post: operations["connectors_sync"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/threads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists threads, newest first.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["threads_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/threads/{thread_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a thread with its messages, oldest first.
         * @description Needs the role `operator` where roles are configured.
         */
        get: operations["threads_get"];
        put?: never;
        post?: never;
        /**
         * Moves a thread to the trash, or deletes it for good.
         * @description Needs the role `admin` where roles are configured.
         */
        delete: operations["threads_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/threads/{thread_id}/modify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Changes the labels of all of a thread's messages.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["threads_modify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/threads/{thread_id}/trash": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Moves a thread to the trash.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["threads_trash"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/threads/{thread_id}/untrash": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes a thread out of the trash.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["threads_untrash"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/connectors/{connector_id}/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answers a URL to which a file is put that is to go out with a mail.
         * @description Needs the role `admin` where roles are configured.
         */
        post: operations["uploads_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/email/webhook/google": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes header-style notifications; 404 unless configured. */
        post: operations["legacy_push"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/email/webhook/google/pubsub": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes Pub/Sub's pushes, by the token of our service account. */
        post: operations["push"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/email/webhook/microsoft/graph": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes Microsoft Graph's notifications, by the marks of our subscriptions. */
        post: operations["notifications"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tells who the caller is, and what the caller may do.
         * @description Needs the role `viewer` where roles are configured.
         */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This description. */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/owner/data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Takes out all that is kept of the owner.
         * @description Needs the role `admin` where roles are configured.
         */
        get: operations["owner_export"];
        put?: never;
        post?: never;
        /**
         * Deletes all that is kept of the owner.
         * @description Needs the role `admin` where roles are configured.
         */
        delete: operations["owner_erase"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells how the system is, without a token; kept for ten seconds. */
        get: operations["system_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells what this is, without a token. */
        get: operations["system_info"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/triggers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists triggers.
         * @description Needs the role `viewer` where roles are configured.
         */
        get: operations["triggers_list"];
        put?: never;
        /**
         * Makes a trigger.
         * @description Needs the role `operator` where roles are configured.
         */
        post: operations["triggers_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/triggers/{trigger_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reads a trigger.
         * @description Needs the role `viewer` where roles are configured.
         */
        get: operations["triggers_get"];
        put?: never;
        post?: never;
        /**
         * Deletes a trigger.
         * @description Needs the role `admin` where roles are configured.
         */
        delete: operations["triggers_delete"];
        options?: never;
        head?: never;
        /**
         * Changes a trigger's filters or agent.
         * @description Needs the role `operator` where roles are configured.
         */
        patch: operations["triggers_change"];
        trace?: never;
    };
    "/api/triggers/{trigger_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Fires a `webhook` trigger.
         * @description Needs the role `operator` where roles are configured.
         */
        post: operations["triggers_fire"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/triggers/{trigger_id}/firings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists what a trigger fired in the last thirty days.
         * @description Needs the role `viewer` where roles are configured.
         */
        get: operations["triggers_firings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/triggers/{trigger_id}/secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Gives a `webhook` trigger another secret; the one before counts for a day beside it.
         * @description Needs the role `operator` where roles are configured.
         */
        post: operations["triggers_rotate_secret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/triggers/{trigger_id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries a trigger on the mail of the last days; nothing fires.
         * @description Needs the role `operator` where roles are configured.
         */
        post: operations["triggers_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description What a route does, as the role table and `/api/me` name it.
         * @enum {string}
         */
        Action: "see" | "connect" | "operate" | "fire" | "read_mail" | "write_mail" | "delete" | "export" | "erase";
        Address: {
            address: string;
            name?: string | null;
        };
        /** @description Where an administrator consents for a whole organization. */
        AdminConsent: {
            admin_consent_url: string;
        };
        /** @description Any JSON object. */
        Anything: Record<string, never>;
        Attachment: {
            /** @description What `cid:` links of the body name it by. */
            content_id?: string | null;
            /**
             * @description Its sender's; empty if there is none.
             * @example may.pdf
             */
            filename: string;
            /** @description Meant to be shown within the body. */
            inline: boolean;
            /** @example application/pdf */
            mime_type: string;
            /**
             * @description Where it is in the mail; `root` if it is the whole mail.
             * @example 1
             */
            part_id: string;
            /**
             * Format: int64
             * @description In bytes; absent where the provider does not tell it, as for a mail within the mail.
             */
            size?: number | null;
        };
        /** @description Where an attachment can be downloaded. Whoever has the URL can; it needs no token. */
        AttachmentLink: {
            expires_at: components["schemas"]["Timestamp"];
            filename: string;
            mime_type: string;
            /**
             * Format: int64
             * @description In bytes.
             */
            size: number;
            url: string;
        };
        AttachmentList: {
            /** @description Also those of mails within the mail. */
            attachments: components["schemas"]["Attachment"][];
            /** @description The texts of the mail itself. */
            bodies: components["schemas"]["Attachment"][];
            /** @description What the HTML shows by its Content-ID. */
            embedded: components["schemas"]["Attachment"][];
        };
        /** @description Each as the receiving server wrote it; absent if it said nothing of the kind. */
        Authentication: {
            dkim?: components["schemas"]["Verdict"] | null;
            dmarc?: components["schemas"]["Verdict"] | null;
            spf?: components["schemas"]["Verdict"] | null;
        };
        /** @description Who a mail is from. What is absent is the mailbox's own. */
        Author: {
            /**
             * @description The mailbox's own, or one that Gmail lets it send as.
             * @default null
             * @example help@example.com
             */
            address?: string | null;
            /**
             * @description The name that is shown beside the address.
             * @default null
             * @example Ada of the help desk
             */
            name?: string | null;
        };
        AuthorizeAnswer: {
            authorization_url: string;
            state: string;
        };
        /** @description Why a mail counts as automatic. Absent of a mail that a person wrote to its recipients. */
        AutomaticMail: {
            bounce?: components["schemas"]["Bounce"] | null;
            kind: components["schemas"]["AutomaticMailKind"];
            /**
             * @description Of the mailing list that it came through (List-Id, RFC 2919), without angle brackets.
             * @example announcements.shop.example
             */
            list_id?: string | null;
        };
        /**
         * @description Of several kinds that the headers name, the first one counts.
         * @enum {string}
         */
        AutomaticMailKind: "bounce" | "reply" | "list" | "notification";
        /** @enum {string} */
        AutoSubmitted: "auto-replied" | "auto-generated";
        /** @description The body of `messages.batch_modify`. */
        Batch: {
            add_label_ids?: string[];
            ids: string[];
            remove_label_ids?: string[];
        };
        BatchDeleted: {
            /** @description How many were named. */
            count: number;
            deleted: components["schemas"]["Deleted"];
        };
        /** @description The body of `messages.batch_delete`. */
        BatchDeletion: {
            ids: string[];
            /** @description For good, instead of to the trash. */
            permanent?: boolean;
        };
        BatchModified: {
            /** @description How many were named. */
            count: number;
        };
        /** @description What there is to read. Each is there if the mail has such a part. */
        Body: {
            /** @description As its sender wrote it: not to be shown without a sandbox. */
            html?: string | null;
            text?: string | null;
            /** @description The mail has no text part: `text` was made of `html`. */
            text_from_html?: boolean;
        };
        /** @description What a bounce is about. */
        Bounce: {
            /**
             * @description The Message-ID of the mail that it is about, in angle brackets; absent if it names none.
             * @example <1@example.com>
             */
            message_id?: string | null;
            recipients: components["schemas"]["BounceRecipient"][];
        };
        /**
         * @description RFC 3464's words for what became of the mail.
         * @enum {string}
         */
        BounceAction: "failed" | "delayed" | "delivered" | "relayed" | "expanded";
        /** @description One recipient of that mail, and what became of it. */
        BounceRecipient: {
            action?: components["schemas"]["BounceAction"] | null;
            /**
             * @description Final-Recipient: the address that was not reached, which a forwarding server may have put in
             *     the place of the one that was written to.
             * @example bob@example.com
             */
            recipient: string;
            /**
             * @description An enhanced status code (RFC 3463): `5.…` is permanent, `4.…` may pass.
             * @example 5.1.1
             */
            status?: string | null;
        };
        /**
         * @description What a connector's grant lets it do.
         * @enum {string}
         */
        Capability: "read_headers" | "read" | "modify" | "draft" | "send" | "delete";
        /**
         * @description Counts failures that may pass: server errors, timeouts and rate limits. A final refusal does not
         *     count: Google did answer.
         */
        Circuit: {
            /**
             * Format: int32
             * @description In a row.
             */
            failures: number;
            open_until?: components["schemas"]["Timestamp"] | null;
        };
        /** @enum {string} */
        CircuitState: "closed" | "open" | "half_open";
        /** @description How far a connector's end has come. A step that is not there yet is tried until it is. */
        Closing: {
            grant_revoked?: boolean | null;
            /** @description Whether it is its account's last connector, with which watch and grant end. */
            last: boolean;
            since: components["schemas"]["Timestamp"];
            watch_stopped?: boolean | null;
        };
        /**
         * @description Programs may rely on it.
         * @enum {string}
         */
        Code: "needs_reauth" | "status_error" | "scopes_missing" | "watch_failed" | "watch_lapsed" | "watch_missing" | "watch_renewal_late" | "watch_unverified" | "circuit_open" | "circuit_half_open" | "looks_fail" | "look_overdue" | "looked_too_long_ago" | "quota_spent" | "events_wait" | "messages_fail" | "messages_parked" | "history_gap_replaying" | "closing" | "paused" | "labels_missing" | "no_triggers";
        ConfigChange: {
            filters: components["schemas"]["Filters"];
        };
        Connect: {
            /** @description Google's authorization code. */
            auth_code: string;
            /**
             * @description Absent or the popup's value for the popup flow; for the redirect flow the callback URL that it
             *     began with.
             */
            callback_url?: string | null;
            code_verifier?: string | null;
            /** @description Disconnects another account's connector first. */
            replace?: boolean | null;
            state?: string | null;
        };
        Connected: {
            connector_id: components["schemas"]["ConnectorId"];
            email_address: components["schemas"]["EmailAddress"];
            /** @example connected */
            status: string;
            watch: components["schemas"]["ConnectedWatch"];
        };
        ConnectedWatch: {
            expiration?: components["schemas"]["Timestamp"] | null;
            reason?: string | null;
            status: components["schemas"]["WatchStatus"];
        };
        /** @description A connector as its owner sees it. Nothing in it could rebuild a secret. */
        Connector: {
            /** @description What the granted scopes allow. */
            capabilities: components["schemas"]["Capability"][];
            circuit: components["schemas"]["ConnectorCircuit"];
            closing?: components["schemas"]["Closing"] | null;
            created_at: components["schemas"]["Timestamp"];
            credentials: string;
            email_address: components["schemas"]["EmailAddress"];
            granted_scopes: string[];
            history_id: components["schemas"]["HistoryId"];
            id: components["schemas"]["ConnectorId"];
            /** @description What its owner calls it. */
            label?: string | null;
            last_error?: string | null;
            last_event_at?: components["schemas"]["Timestamp"] | null;
            owner_id: components["schemas"]["OwnerId"];
            /** @description Messages that failed again and again and were set aside; they are tried again by themselves. */
            parked_messages: number;
            paused: boolean;
            provider: components["schemas"]["Provider"];
            status: components["schemas"]["Status"];
            type: string;
            updated_at: components["schemas"]["Timestamp"];
            watch: components["schemas"]["ConnectorWatch"];
        };
        ConnectorChange: {
            /** @description The owner's own name for it; null takes it away. */
            label?: string | null;
            paused?: boolean | null;
        };
        ConnectorCircuit: components["schemas"]["Circuit"] & {
            state: components["schemas"]["CircuitState"];
        };
        /** @description A connector's health. Nothing in it could rebuild a secret. */
        ConnectorHealth: {
            auth: components["schemas"]["HealthAuth"];
            backlog: components["schemas"]["HealthBacklog"];
            checked_at: components["schemas"]["Timestamp"];
            circuit: components["schemas"]["HealthCircuit"];
            email_address: components["schemas"]["EmailAddress"];
            /** @description What is wrong and what to do, the worst first. */
            findings: components["schemas"]["HealthFinding"][];
            freshness: components["schemas"]["HealthFreshness"];
            id: components["schemas"]["ConnectorId"];
            /** @description Why the last look failed, if it did. */
            last_error?: string | null;
            /** @description Mail that arrives now does not fire. */
            paused: boolean;
            quota: components["schemas"]["HealthQuota"];
            status: components["schemas"]["HealthStatus"];
            /** @description How many triggers it has. */
            triggers: number;
            watch: components["schemas"]["HealthWatch"];
        };
        /**
         * @description A connector: `con_` and a version 7 UUID. Opaque, so it may stand in CloudTrail as KMS
         *     encryption context.
         */
        ConnectorId: string;
        ConnectorList: {
            connectors: components["schemas"]["Connector"][];
            next_page_token?: string | null;
        };
        ConnectorWatch: components["schemas"]["Watch"] & {
            status: components["schemas"]["WatchStatus"];
            verified_at?: components["schemas"]["Timestamp"] | null;
        };
        CurrentSession: {
            connector?: components["schemas"]["SessionConnector"] | null;
            /** @description Whether a connect succeeded; no other may follow. */
            done: boolean;
            expires_at: components["schemas"]["Timestamp"];
            /** @description The only origin that the page posts its outcome to. */
            origin: string;
            provider?: components["schemas"]["Provider"] | null;
        };
        /**
         * @description What became of what was deleted.
         * @enum {string}
         */
        Deleted: "trash" | "permanently";
        Deletion: {
            deleted: components["schemas"]["Deleted"];
            id: string;
        };
        /** @description Its id stays when it is changed; its message's does not. */
        Draft: {
            id: string;
            message: components["schemas"]["MessageView"];
        };
        /** @description What is absent stays. An empty list or text removes what was there. */
        DraftChange: {
            /** @default null */
            attachments?: components["schemas"]["OutgoingAttachment"][] | null;
            /** @default null */
            bcc?: components["schemas"]["Recipient"][] | null;
            /** @default null */
            cc?: components["schemas"]["Recipient"][] | null;
            /** @default null */
            from?: components["schemas"]["Author"] | null;
            /** @default null */
            html?: string | null;
            /**
             * @description A Message-ID.
             * @default null
             */
            in_reply_to?: string | null;
            /**
             * @description Message-IDs, the oldest first.
             * @default null
             */
            references?: string | null;
            /** @default null */
            reply_to?: components["schemas"]["Recipient"][] | null;
            /**
             * @default null
             * @example The invoice for June
             */
            subject?: string | null;
            /** @default null */
            text?: string | null;
            /** @default null */
            to?: components["schemas"]["Recipient"][] | null;
        };
        /** @description A page of drafts. */
        DraftList: {
            drafts: components["schemas"]["Draft"][];
            next_page_token?: string | null;
            /** Format: int32 */
            result_size_estimate: number;
        };
        /**
         * Format: email
         * @description A mailbox address: trimmed, in lower case, with one `@` between two non-empty parts, without
         *     white space or control characters, of at most 254 bytes. Two spellings that differ only in
         *     letter case are the same mailbox for Gmail.
         * @example ada@example.com
         */
        EmailAddress: string;
        Ended: {
            id: components["schemas"]["ConnectorId"];
            receipt: components["schemas"]["Receipt"];
        };
        Erased: {
            connectors: components["schemas"]["Ended"][];
            data_purged: boolean;
            /** @description What the functions do not delete, and until when at the latest it is kept. */
            remains: components["schemas"]["Remaining"][];
        };
        /** @description One event: derived, so every attempt to decide the same one finds the same id. */
        EventId: string;
        Export: {
            connectors: components["schemas"]["Connector"][];
            next_page_token: string | null;
            records: components["schemas"]["Record"][];
            triggers: components["schemas"]["Trigger"][];
        };
        /**
         * @description All that is given must hold. Text is compared as people see it: without letter case (`STRASSE` is
         *     `Straße`), compatibility forms and invisible characters, and with one blank for any white space.
         *     A header that is missing does not match.
         */
        Filters: {
            /**
             * @description Whether the receiving server said that the domain of From's address stands behind the mail
             *     (DMARC).
             * @default null
             */
            authenticated?: boolean | null;
            /**
             * @description Whether its own headers say that no person wrote it. An agent that answers mail sets `false`:
             *     two machines that answer each other never end.
             * @default null
             */
            automatic?: boolean | null;
            /**
             * @description At least one must occur in From's address; the name beside it does not count.
             * @default []
             */
            from_contains?: string[];
            /**
             * @description One of which must be the whole domain of From's address. A subdomain is another one.
             * @default []
             */
            from_domain?: components["schemas"]["MailDomain"][];
            /** @default null */
            has_attachment?: boolean | null;
            /**
             * @description Labels of which it must carry none, named alike.
             * @default []
             */
            label_exclude?: string[];
            /**
             * @description Labels that the message must all carry. A request may name them by id or by name; ids are
             *     stored.
             * @default []
             */
            label_include?: string[];
            /**
             * @description Words, each of which must occur in From, as it is shown, or in Subject. Senders choose both:
             *     it is no check of who sent.
             * @default null
             */
            query?: string | null;
            /**
             * @description At least one must occur.
             * @default []
             */
            subject_contains?: string[];
            /**
             * @description At least one must occur in an address of To.
             * @default []
             */
            to_contains?: string[];
        };
        FiltersRehearsal: {
            /** Format: int64 */
            days: number;
            looked_at: number;
            /**
             * Format: int32
             * @description What it cost of the mailbox's quota, as `X-Quota-Units` says too.
             */
            quota_units: number;
            /** @description Whether there is more mail of those days. */
            truncated: boolean;
            /** @description Messages that could not be read. */
            unreadable: components["schemas"]["MessageId"][];
            would_fire: components["schemas"]["Looked"][];
            would_not: components["schemas"]["Looked"][];
        } & {
            connector_id: components["schemas"]["ConnectorId"];
        };
        /** @description Filters to try, how far to look back, and at how many messages. */
        FiltersRehearsed: {
            config?: components["schemas"]["FiltersToTry"] | null;
            /** Format: int64 */
            days?: number | null;
            /** Format: int64 */
            limit?: number | null;
        };
        FiltersToTry: {
            filters?: components["schemas"]["Filters"] | null;
        };
        Fired: {
            event_id: components["schemas"]["EventId"];
        };
        Firing: {
            /** @description Whose mailbox has the message. */
            connector_id: components["schemas"]["ConnectorId"];
            decided_at: components["schemas"]["Timestamp"];
            /** @description As it was published; absent for a role that may not read mail. */
            detail?: Record<string, never> | null;
            detail_type: string;
            event_id: components["schemas"]["EventId"];
            message_id?: components["schemas"]["MessageId"] | null;
            published: boolean;
        };
        Firings: {
            firings: components["schemas"]["Firing"][];
            next_page_token?: string | null;
        };
        /** @enum {string} */
        ForwardAs: "inline" | "attachment";
        HealthAuth: {
            granted_at: components["schemas"]["Timestamp"];
            granted_scopes: string[];
            /** @description Scopes that a connect must bring today, and that this grant does not have. */
            missing_scopes: string[];
            status: components["schemas"]["Status"];
        };
        HealthBacklog: {
            /** @description Messages that fail, and hold the cursor meanwhile. */
            failing_messages: number;
            /** @description Whether a listing goes on that one run could not finish. */
            listing: boolean;
            /** @description Messages that failed again and again, and were set aside. */
            parked_messages: number;
            put_off_until?: components["schemas"]["Timestamp"] | null;
            replaying?: components["schemas"]["HealthReplay"] | null;
            /** @description Events that were decided and are not known to be published. */
            unpublished_events: number;
        };
        HealthCircuit: {
            /**
             * Format: int32
             * @description In a row.
             */
            failures: number;
            open_until?: components["schemas"]["Timestamp"] | null;
            state: components["schemas"]["CircuitState"];
        };
        /** @description One thing that is wrong, or worth saying. */
        HealthFinding: {
            code: components["schemas"]["Code"];
            /** @description What to do about it. */
            remedy: string;
            /**
             * @description Where that is written at length.
             * @example docs/operations.md#circuit-open
             */
            runbook?: string | null;
            severity: components["schemas"]["Severity"];
            /** @description What is so, in words. */
            what: string;
        };
        HealthFreshness: {
            /** @description Whether a look is owed by now. */
            behind: boolean;
            last_event_at?: components["schemas"]["Timestamp"] | null;
            last_looked_at?: components["schemas"]["Timestamp"] | null;
            last_swept_at?: components["schemas"]["Timestamp"] | null;
            next_look_at?: components["schemas"]["Timestamp"] | null;
        };
        /** @description Gmail's quota units of this minute, as reading the mailbox spends them. */
        HealthQuota: {
            /** Format: int32 */
            left: number;
            /** Format: int32 */
            spent: number;
            /** Format: int32 */
            units_per_minute: number;
        };
        /** @description History that Gmail no longer had, replayed by date. */
        HealthReplay: {
            /** Format: int64 */
            fired: number;
            /** Format: int64 */
            messages: number;
            /** @description All mail up to here was replayed. */
            replayed_to: components["schemas"]["Timestamp"];
            since: components["schemas"]["Timestamp"];
            until: components["schemas"]["Timestamp"];
        };
        /**
         * @description From the best to the worst.
         * @enum {string}
         */
        HealthStatus: "healthy" | "degraded" | "down";
        HealthWatch: {
            expiration?: components["schemas"]["Timestamp"] | null;
            failure?: components["schemas"]["WatchFailure"] | null;
            renewed_at?: components["schemas"]["Timestamp"] | null;
            status: components["schemas"]["WatchStatus"];
            verified_at?: components["schemas"]["Timestamp"] | null;
        };
        /**
         * @description A position in a mailbox's history. Gmail documents it as uint64 and sends it as a string in API
         *     answers, as a number in notifications; it never passes through a float.
         * @example 1234567
         */
        HistoryId: string;
        Info: {
            app_public_url: string;
            callback_url: string;
            connector_types: string[];
            name: string;
            providers: components["schemas"]["OfferedProvider"][];
            version: string;
        };
        Label: {
            color?: components["schemas"]["LabelColor"] | null;
            id: string;
            label_list_visibility?: components["schemas"]["LabelListVisibility"] | null;
            message_list_visibility?: components["schemas"]["MessageListVisibility"] | null;
            /**
             * Format: int32
             * @description The counts are there where one label is read.
             */
            messages_total?: number | null;
            /** Format: int32 */
            messages_unread?: number | null;
            name: string;
            /** Format: int32 */
            threads_total?: number | null;
            /** Format: int32 */
            threads_unread?: number | null;
            type: components["schemas"]["LabelType"];
        };
        /** @description Label ids to put on and to take off. */
        LabelChange: {
            /**
             * @description As `GET …/labels` lists them.
             * @default []
             * @example [
             *       "STARRED"
             *     ]
             */
            add_label_ids?: string[];
            /**
             * @default []
             * @example [
             *       "UNREAD"
             *     ]
             */
            remove_label_ids?: string[];
        };
        /** @description Of Gmail's palette only. */
        LabelColor: {
            /** @example #16a765 */
            background_color: string;
            /** @example #ffffff */
            text_color: string;
        };
        /** @description A page of labels. */
        LabelList: {
            labels: components["schemas"]["Label"][];
            next_page_token?: string | null;
        };
        /**
         * @description Whether a label is listed in Gmail's sidebar.
         * @enum {string}
         */
        LabelListVisibility: "labelShow" | "labelShowIfUnread" | "labelHide";
        /** @description What a label is made from, or changed to; the values are Gmail's. */
        LabelSpec: {
            color?: components["schemas"]["LabelColor"] | null;
            label_list_visibility?: components["schemas"]["LabelListVisibility"] | null;
            message_list_visibility?: components["schemas"]["MessageListVisibility"] | null;
            /** @example Invoices/2026 */
            name?: string | null;
        };
        /** @enum {string} */
        LabelType: "system" | "user";
        ListedThread: {
            history_id?: components["schemas"]["HistoryId"] | null;
            id: string;
            snippet: string;
        };
        /** @description One message that was looked at. */
        Looked: {
            from?: components["schemas"]["Address"] | null;
            message_id: components["schemas"]["MessageId"];
            /** @description Absent of one that would fire. */
            reasons?: components["schemas"]["Reason"][];
            subject?: string | null;
            timestamp: components["schemas"]["Timestamp"];
        };
        /**
         * @description A name as the DNS has it: in lower case and, where it has other letters, in its ASCII form
         *     (`xn--…`), so that the two ways of writing it are one.
         * @example example.com
         */
        MailDomain: string;
        Me: {
            /** @description In the order of the role table. */
            may: components["schemas"]["Action"][];
            /** @description Whose connectors the caller acts on. */
            owner_id: components["schemas"]["OwnerId"];
            role: components["schemas"]["Role"] | null;
        };
        /** @description A message in events and in the API. A header that the mail lacks is absent, not empty. */
        Message: {
            /** @description Every part that is no body and is not in `embedded`, also of mails within the mail. */
            attachments?: components["schemas"]["Attachment"][] | null;
            /**
             * @description Only headers could be read, and they leave it open: `has_attachments` says whether the mail
             *     is mixed.
             */
            attachments_unknown?: boolean;
            authentication?: components["schemas"]["Authentication"] | null;
            automatic?: components["schemas"]["AutomaticMail"] | null;
            bcc?: components["schemas"]["Address"][];
            body?: components["schemas"]["Body"] | null;
            cc: components["schemas"]["Address"][];
            /** @description What the HTML shows by its Content-ID. */
            embedded?: components["schemas"]["Attachment"][] | null;
            from?: components["schemas"]["Address"] | null;
            /** @description Whether `attachments` of the whole message has any. */
            has_attachments: boolean;
            headers: components["schemas"]["ThreadingHeaders"];
            id: components["schemas"]["MessageId"];
            label_ids: string[];
            metadata: components["schemas"]["Metadata"];
            reply_to: components["schemas"]["Address"][];
            snippet: string;
            subject?: string | null;
            thread_id: string;
            /** @description When the provider received it (Gmail's internalDate), not what its Date header claims. */
            timestamp: components["schemas"]["Timestamp"];
            to: components["schemas"]["Address"][];
        };
        /** @description Gmail's message id, unique within one mailbox. */
        MessageId: string;
        /** @description A page of messages. */
        MessageList: {
            /** @description Messages that were listed and could not be read just now; ask for each again. */
            failed_ids?: components["schemas"]["MessageId"][];
            messages: components["schemas"]["MessageView"][];
            next_page_token?: string | null;
            /**
             * Format: int32
             * @description Gmail's estimate of how many there are in all.
             */
            result_size_estimate: number;
        };
        /**
         * @description Whether messages show the label in Gmail's message list.
         * @enum {string}
         */
        MessageListVisibility: "show" | "hide";
        /** @description `format=ids`. */
        MessageReference: {
            id: components["schemas"]["MessageId"];
            thread_id: string;
        };
        /** @description A message, or as much of it as the format asks for. */
        MessageView: components["schemas"]["Message"] | components["schemas"]["MinimalMessage"] | components["schemas"]["MessageReference"];
        Metadata: {
            history_id?: components["schemas"]["HistoryId"] | null;
            /**
             * Format: int64
             * @description In bytes.
             */
            size_estimate: number;
        };
        /** @description `format=minimal`, and with the mail itself `format=raw`. */
        MinimalMessage: {
            id: components["schemas"]["MessageId"];
            label_ids: string[];
            metadata: components["schemas"]["Metadata"];
            /** @description The mail as RFC 5322, in base64url. */
            raw?: string | null;
            snippet: string;
            thread_id: string;
            timestamp: components["schemas"]["Timestamp"];
        };
        NamedRecipient: {
            address: string;
            name?: string | null;
        };
        NewConnectSession: {
            connector_id?: components["schemas"]["ConnectorId"] | null;
            login_hint?: components["schemas"]["EmailAddress"] | null;
            /**
             * @description The page that opens the connect page, and is told how it went: one of AllowedOrigins.
             * @example https://app.example.com
             */
            origin: string;
            provider?: components["schemas"]["Provider"] | null;
        };
        NewlyMade: {
            agent_id?: string | null;
            config: components["schemas"]["TriggerConfig"];
            created_at: components["schemas"]["Timestamp"];
            id: components["schemas"]["TriggerId"];
            owner_id: components["schemas"]["OwnerId"];
            type: components["schemas"]["TriggerType"];
            updated_at: components["schemas"]["Timestamp"];
        } & {
            /** @description Of a `webhook` trigger, shown this once. */
            secret?: string | null;
        };
        /** @description The body of a request to create a trigger. */
        NewTrigger: {
            agent_id?: string | null;
            config: components["schemas"]["TriggerConfig"];
            type: components["schemas"]["TriggerType"];
        };
        /** @description Notifications of Microsoft Graph, of several subscriptions. */
        Notifications: {
            value: Record<string, never>[];
        };
        /** @description A provider of connectors. A frontend needs no other knowledge of one to connect a mailbox. */
        OfferedProvider: {
            /**
             * @description The path that says where an administrator consents for an organization (GET). Absent where
             *     the provider has no such consent.
             */
            admin_consent?: string | null;
            /**
             * @description The path that takes the code (POST).
             * @example /api/auth/google/gmail
             */
            connect: string;
            id: components["schemas"]["Provider"];
            /**
             * @description What people call it.
             * @example Gmail
             */
            name: string;
            /**
             * @description The path at which the consent begins (GET).
             * @example /api/auth/google/gmail/start
             */
            start: string;
            /**
             * @description Of its connectors.
             * @example email
             */
            type: string;
        };
        OpenedSession: {
            expires_at: components["schemas"]["Timestamp"];
            /** @description For `Authorization: Bearer`. */
            session_token: string;
            /** @description The connect page with the token in its fragment. */
            url: string;
        };
        /** @description A mail as its sender describes it. */
        Outgoing: {
            /** @default [] */
            attachments?: components["schemas"]["OutgoingAttachment"][];
            /** @default null */
            auto_submitted?: components["schemas"]["AutoSubmitted"] | null;
            /** @default [] */
            bcc?: components["schemas"]["Recipient"][];
            /** @default [] */
            cc?: components["schemas"]["Recipient"][];
            /** @default null */
            forward_as?: components["schemas"]["ForwardAs"] | null;
            /** @default null */
            forward_message_id?: components["schemas"]["MessageId"] | null;
            /** @default null */
            from?: components["schemas"]["Author"] | null;
            /** @default null */
            html?: string | null;
            /**
             * @description A Message-ID.
             * @default null
             */
            in_reply_to?: string | null;
            /**
             * @description Message-IDs, the oldest first.
             * @default null
             */
            references?: string | null;
            /**
             * @description Whether the answer goes to everybody who got what it answers, beside its writer.
             * @default false
             */
            reply_all?: boolean;
            /**
             * @description Where answers go, if not to the sender.
             * @default []
             */
            reply_to?: components["schemas"]["Recipient"][];
            /** @default null */
            reply_to_message_id?: components["schemas"]["MessageId"] | null;
            /**
             * @default null
             * @example The invoice for May
             */
            subject?: string | null;
            /** @default null */
            text?: string | null;
            /**
             * @description The thread to join; its last message is answered, unless another is named.
             * @default null
             */
            thread_id?: string | null;
            /** @default [] */
            to?: components["schemas"]["Recipient"][];
        };
        OutgoingAttachment: {
            /**
             * Format: byte
             * @description Base64, or base64url as Gmail writes it, with or without padding and line breaks.
             *     Either this or `upload_id`.
             * @example VG90YWw6IDcgRVVSCg==
             */
            content?: string;
            content_id?: string | null;
            /**
             * @description Without one, a name is made of the type; a longer one than 255 bytes is cut.
             * @example may.pdf
             */
            filename?: string;
            /** @description Shown within the HTML, which names it by `cid:`. */
            inline?: boolean;
            /**
             * @description With parameters, if it has any.
             * @example text/calendar; method=REQUEST
             */
            mime_type: string;
            /**
             * Format: uuid
             * @description A file that was uploaded (`POST …/uploads`), for what is larger than 4 MB in all.
             */
            upload_id?: string;
        };
        /** @description Who owns connectors and triggers: the value of the configured claim of the user's token. */
        OwnerId: string;
        /**
         * @description The parts that are checked, in the order of the answer.
         * @enum {string}
         */
        Part: "table" | "keys" | "queue" | "dead_letters" | "quarantine";
        PlacedMessage: {
            id: components["schemas"]["MessageId"];
            label_ids: string[];
            thread_id: string;
        };
        /**
         * @description An RFC 9457 problem document. `code` is stable: programs may rely on it, as people rely on
         *     `detail`.
         */
        Problem: {
            code: string;
            detail: string;
            field?: string | null;
            /** @description The OAuth scope to connect again with. */
            scope?: string | null;
            /**
             * Format: int32
             * @example 404
             */
            status: number;
            title: string;
            type: string;
            /** @description The messages that were not read for an answer that is too large. */
            unread_ids?: string[];
        };
        /** @enum {string} */
        Provider: "gmail" | "outlook";
        /** @description A push of Pub/Sub's, wrapped. */
        Push: {
            message: Record<string, never>;
            subscription: string;
        };
        Queued: {
            /** @example queued */
            status: string;
        };
        /** @description Why a message does not fire, and what of it or of the connector says so. */
        Reason: {
            detail: unknown;
            reason: string;
        };
        /** @description How far a disconnect has come. */
        Receipt: {
            data_purged: boolean;
            grant_revoked: boolean;
            watch_stopped: boolean;
        };
        /** @description An address, with or without a name. */
        Recipient: string | components["schemas"]["NamedRecipient"];
        /** @description An event as it was published. */
        Record: {
            decided_at: components["schemas"]["Timestamp"];
            detail: Record<string, never>;
            detail_type: string;
        };
        Rehearsal: {
            /** Format: int64 */
            days: number;
            looked_at: number;
            /**
             * Format: int32
             * @description What it cost of the mailbox's quota, as `X-Quota-Units` says too.
             */
            quota_units: number;
            /** @description Whether there is more mail of those days. */
            truncated: boolean;
            /** @description Messages that could not be read. */
            unreadable: components["schemas"]["MessageId"][];
            would_fire: components["schemas"]["Looked"][];
            would_not: components["schemas"]["Looked"][];
        } & {
            trigger_id: components["schemas"]["TriggerId"];
        };
        /** @description How far to look back, and at how many messages. */
        RehearsalRange: {
            /** Format: int64 */
            days?: number | null;
            /** Format: int64 */
            limit?: number | null;
        };
        Remaining: {
            /** @example published events: addresses, subjects, snippets */
            holds: string;
            /** @example event_archive */
            place: string;
            /** @description From then on it holds nothing of the owner. */
            until: components["schemas"]["Timestamp"];
        };
        /**
         * @description From the least to the most.
         * @enum {string}
         */
        Role: "viewer" | "operator" | "admin";
        Rotated: {
            /** @description When the secret before ends. That before it has ended. */
            previous_valid_until: components["schemas"]["Timestamp"];
            secret: string;
        };
        SessionConnector: {
            email_address: components["schemas"]["EmailAddress"];
            id: components["schemas"]["ConnectorId"];
            status: components["schemas"]["Status"];
        };
        /**
         * @description How much a finding matters, from the least.
         * @enum {string}
         */
        Severity: "note" | "degraded" | "down";
        /** @enum {string} */
        Status: "active" | "needs_reauth" | "error";
        String: string;
        SystemCheck: {
            detail: string;
            name: components["schemas"]["Part"];
            /** @description What to do; nothing while all is well. */
            remedy?: string | null;
            status: components["schemas"]["HealthStatus"];
        };
        SystemHealth: {
            checked_at: components["schemas"]["Timestamp"];
            checks: components["schemas"]["SystemCheck"][];
            status: components["schemas"]["HealthStatus"];
        };
        Thread: {
            /** @description Messages that cannot be read in this format: ask for another one of each. */
            failed_ids?: components["schemas"]["MessageId"][];
            history_id?: components["schemas"]["HistoryId"] | null;
            id: string;
            /** @description Oldest first. */
            messages: components["schemas"]["MessageView"][];
        };
        /** @description What a reply needs. */
        ThreadingHeaders: {
            in_reply_to?: string | null;
            message_id?: string | null;
            references?: string | null;
        };
        /** @description A page of threads. */
        ThreadList: {
            next_page_token?: string | null;
            /** Format: int32 */
            result_size_estimate: number;
            threads: components["schemas"]["ListedThread"][];
        };
        /** @description A thread that was changed. */
        ThreadReference: {
            id: string;
        };
        /**
         * Format: date-time
         * @description Milliseconds since the Unix epoch. Ordered, copyable, and given as an argument: only
         *     `adapters/system.rs` reads a clock.
         * @example 2026-01-01T09:30:00.000Z
         */
        Timestamp: string;
        Trigger: {
            agent_id?: string | null;
            config: components["schemas"]["TriggerConfig"];
            created_at: components["schemas"]["Timestamp"];
            id: components["schemas"]["TriggerId"];
            owner_id: components["schemas"]["OwnerId"];
            type: components["schemas"]["TriggerType"];
            updated_at: components["schemas"]["Timestamp"];
        };
        /**
         * @description The body of a request to change a trigger. What is absent stays; `agent_id: null` takes the
         *     agent away.
         */
        TriggerChange: {
            agent_id?: string | null;
            config?: components["schemas"]["ConfigChange"] | null;
        };
        TriggerConfig: {
            connector_id: components["schemas"]["ConnectorId"];
            filters?: components["schemas"]["Filters"];
        };
        /** @description A trigger: `trg_` and a version 7 UUID. */
        TriggerId: string;
        TriggerList: {
            next_page_token?: string | null;
            triggers: components["schemas"]["Trigger"][];
        };
        /** @enum {string} */
        TriggerType: "email" | "webhook";
        /** @description Where a file can be put, with `method` and `headers` as they stand here. */
        Upload: {
            /** @description Of the URL. */
            expires_at: components["schemas"]["Timestamp"];
            /** @description A browser sets `content-length` by itself. */
            headers: {
                [key: string]: string;
            };
            /** @description `PUT`. */
            method: string;
            /** @description Names the file in the attachments of a mail, for a day. */
            upload_id: components["schemas"]["UploadId"];
            url: string;
        };
        /**
         * Format: uuid
         * @description Names an uploaded file to its owner; to anybody else it names nothing.
         * @example 019b0000-0000-7000-8000-00000000001f
         */
        UploadId: string;
        /** @description The body of `uploads.create`. */
        UploadSpec: {
            /**
             * @description Of the file's bytes, in hexadecimal; other bytes are then refused.
             * @example null
             */
            sha256?: string | null;
            /**
             * Format: int64
             * @description In bytes; no other size can be put.
             * @example 25165824
             */
            size: number;
        };
        /**
         * @description RFC 8601's words for a result.
         * @enum {string}
         */
        Verdict: "pass" | "fail" | "softfail" | "neutral" | "none" | "temperror" | "permerror" | "policy";
        /** @description What the last `watch` calls came to. Its history id is not here: it is never a cursor. */
        Watch: {
            expiration?: components["schemas"]["Timestamp"] | null;
            failure?: components["schemas"]["WatchFailure"] | null;
            renewed_at?: components["schemas"]["Timestamp"] | null;
        };
        /** @description The last `watch` call failed; an earlier watch may still be alive. */
        WatchFailure: {
            at: components["schemas"]["Timestamp"];
            reason: string;
            /**
             * Format: int32
             * @description How many failed in a row.
             */
            times?: number;
        };
        /**
         * @description The status of the watch, as users see it.
         * @enum {string}
         */
        WatchStatus: "active" | "pending" | "failed";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    connect: {
        parameters: {
            query?: never;
            header?: {
                /** @description One of AllowedOrigins, or the API's own; browsers send it by themselves. */
                Origin?: string;
                /** @description Any value: a form on a stranger's page cannot send it. */
                "X-Requested-With"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "auth_code": "4/0A..."
                 *     }
                 */
                "application/json": components["schemas"]["Connect"];
            };
        };
        responses: {
            /** @description Connected. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Connected"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connect_callback: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On to the frontend's page. */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connect_start: {
        parameters: {
            query?: {
                /** @description Where the browser is returned to: the frontend's page, or the console's of this stack. */
                callback_url?: string;
                /** @description The address that the user is to choose. */
                login_hint?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where to send the user's browser. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuthorizeAnswer"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    security_event: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/secevent+jwt": components["schemas"]["String"];
            };
        };
        responses: {
            /** @description Acted on. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connect_outlook: {
        parameters: {
            query?: never;
            header?: {
                /** @description One of AllowedOrigins, or the API's own; browsers send it by themselves. */
                Origin?: string;
                /** @description Any value: a form on a stranger's page cannot send it. */
                "X-Requested-With"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Connect"];
            };
        };
        responses: {
            /** @description Connected. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Connected"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connect_outlook_admin_consent: {
        parameters: {
            query?: {
                /** @description Where the browser is returned to: the frontend's page, or the console's of this stack. */
                callback_url?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where to send an administrator. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminConsent"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connect_outlook_callback: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On to the frontend's page. */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connect_outlook_start: {
        parameters: {
            query?: {
                /** @description Where the browser is returned to: the frontend's page, or the console's of this stack. */
                callback_url?: string;
                /** @description The address that the user is to choose. */
                login_hint?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where to send the user's browser. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuthorizeAnswer"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connect_sessions_open: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "login_hint": "ada@example.com",
                 *       "origin": "https://app.example.com"
                 *     }
                 */
                "application/json": components["schemas"]["NewConnectSession"];
            };
        };
        responses: {
            /** @description The session; its token is shown this once. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "expires_at": "2026-06-01T09:45:00.000Z",
                     *       "session_token": "cst_dXNlci0xNw.9Yf3",
                     *       "url": "https://api.example.com/console/connect#session=cst_dXNlci0xNw.9Yf3"
                     *     }
                     */
                    "application/json": components["schemas"]["OpenedSession"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connect_sessions_current: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the page shows. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "connector": {
                     *         "email_address": "ada@example.com",
                     *         "id": "con_0190",
                     *         "status": "needs_reauth"
                     *       },
                     *       "done": false,
                     *       "expires_at": "2026-06-01T09:45:00.000Z",
                     *       "origin": "https://app.example.com",
                     *       "provider": "gmail"
                     *     }
                     */
                    "application/json": components["schemas"]["CurrentSession"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connectors_list: {
        parameters: {
            query?: {
                /** @description How many at most. */
                page_size?: number;
                /** @description The next_page_token of the page before. */
                page_token?: string;
            };
            header?: {
                /** @description The ETag of an earlier answer: 304 if this one is the same. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the caller's connectors. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectorList"];
                };
            };
            /** @description Nothing has changed since; without a body. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connectors_get: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an earlier answer: 304 if this one is the same. */
                "If-None-Match"?: string;
            };
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The connector. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Connector"];
                };
            };
            /** @description Nothing has changed since; without a body. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connectors_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data_purged": true,
                     *       "grant_revoked": true,
                     *       "watch_stopped": true
                     *     }
                     */
                    "application/json": components["schemas"]["Receipt"];
                };
            };
            /** @description It ends; the rest goes on by itself. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data_purged": true,
                     *       "grant_revoked": true,
                     *       "watch_stopped": true
                     *     }
                     */
                    "application/json": components["schemas"]["Receipt"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connectors_change: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "paused": true
                 *     }
                 */
                "application/json": components["schemas"]["ConnectorChange"];
            };
        };
        responses: {
            /** @description The connector as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Connector"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drafts_list: {
        parameters: {
            query?: {
                /** @description Whether spam and trash are listed too. */
                include_spam_trash?: boolean;
                /** @description How many at most. */
                page_size?: number;
                /** @description The next_page_token of the page before. */
                page_token?: string;
                /** @description Gmail's search operators, as in its search box. */
                query?: string;
            };
            header?: never;
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "drafts": [
                     *         {
                     *           "id": "r-7",
                     *           "message": {
                     *             "id": "19b0000000000002",
                     *             "thread_id": "19b0000000000001"
                     *           }
                     *         }
                     *       ],
                     *       "result_size_estimate": 1
                     *     }
                     */
                    "application/json": components["schemas"]["DraftList"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drafts_create: {
        parameters: {
            query?: never;
            header?: {
                /** @description Sent again under the same key, the request is answered again, and done once. */
                "Idempotency-Key"?: string;
            };
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reply_to_message_id": "19b0000000000001",
                 *       "text": "Thank you, I will look at it."
                 *     }
                 */
                "application/json": components["schemas"]["Outgoing"];
            };
        };
        responses: {
            /** @description Done. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "r-7",
                     *       "message": {
                     *         "id": "19b0000000000002",
                     *         "thread_id": "19b0000000000001"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Draft"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drafts_get: {
        parameters: {
            query?: {
                /** @description All (the default), no bodies, only ids and labels, or the mail as RFC 5322 in base64url. */
                format?: "full" | "metadata" | "minimal" | "raw";
            };
            header?: never;
            path: {
                connector_id: string;
                draft_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "r-7",
                     *       "message": {
                     *         "attachments": [
                     *           {
                     *             "filename": "may.pdf",
                     *             "inline": false,
                     *             "mime_type": "application/pdf",
                     *             "part_id": "1",
                     *             "size": 1024
                     *           }
                     *         ],
                     *         "authentication": {
                     *           "dkim": "pass",
                     *           "dmarc": "pass",
                     *           "spf": "pass"
                     *         },
                     *         "body": {
                     *           "text": "It is attached.\n"
                     *         },
                     *         "cc": [],
                     *         "from": {
                     *           "address": "ada@example.com",
                     *           "name": "Ada"
                     *         },
                     *         "has_attachments": true,
                     *         "headers": {
                     *           "message_id": "<1@example.com>"
                     *         },
                     *         "id": "19b0000000000001",
                     *         "label_ids": [
                     *           "INBOX",
                     *           "UNREAD"
                     *         ],
                     *         "metadata": {
                     *           "history_id": "4711",
                     *           "size_estimate": 2048
                     *         },
                     *         "reply_to": [],
                     *         "snippet": "It is attached.",
                     *         "subject": "The invoice for May",
                     *         "thread_id": "19b0000000000001",
                     *         "timestamp": "2026-06-01T09:30:00.000Z",
                     *         "to": [
                     *           {
                     *             "address": "bo@example.com"
                     *           }
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Draft"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drafts_update: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                draft_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reply_to_message_id": "19b0000000000001",
                 *       "text": "Thank you, I will look at it."
                 *     }
                 */
                "application/json": components["schemas"]["Outgoing"];
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "r-7",
                     *       "message": {
                     *         "id": "19b0000000000002",
                     *         "thread_id": "19b0000000000001"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Draft"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drafts_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                draft_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drafts_patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                draft_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "subject": "The invoice for June"
                 *     }
                 */
                "application/json": components["schemas"]["DraftChange"];
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "r-7",
                     *       "message": {
                     *         "id": "19b0000000000002",
                     *         "thread_id": "19b0000000000001"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Draft"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drafts_send: {
        parameters: {
            query?: never;
            header?: {
                /** @description Sent again under the same key, the request is answered again, and done once. */
                "Idempotency-Key"?: string;
            };
            path: {
                connector_id: string;
                draft_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "19b0000000000001",
                     *       "label_ids": [
                     *         "SENT"
                     *       ],
                     *       "thread_id": "19b0000000000001"
                     *     }
                     */
                    "application/json": components["schemas"]["PlacedMessage"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connectors_health: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was seen of it last, what is wrong, and what to do. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "auth": {
                     *         "granted_at": "2026-05-01T10:00:00.000Z",
                     *         "granted_scopes": [
                     *           "openid",
                     *           "https://www.googleapis.com/auth/gmail.modify"
                     *         ],
                     *         "missing_scopes": [],
                     *         "status": "active"
                     *       },
                     *       "backlog": {
                     *         "failing_messages": 0,
                     *         "listing": false,
                     *         "parked_messages": 0,
                     *         "put_off_until": "2026-06-01T09:31:00.000Z",
                     *         "replaying": null,
                     *         "unpublished_events": 0
                     *       },
                     *       "checked_at": "2026-06-01T09:30:00.000Z",
                     *       "circuit": {
                     *         "failures": 5,
                     *         "open_until": "2026-06-01T09:31:00.000Z",
                     *         "state": "open"
                     *       },
                     *       "email_address": "ada@example.com",
                     *       "findings": [
                     *         {
                     *           "code": "circuit_open",
                     *           "remedy": "Nothing, if it passes: the mailbox is tried again by itself, and nothing is lost.",
                     *           "runbook": "docs/operations.md#circuit-open",
                     *           "severity": "down",
                     *           "what": "Gmail failed 5 times in a row, and is not asked before 2026-06-01T09:31:00.000Z"
                     *         }
                     *       ],
                     *       "freshness": {
                     *         "behind": false,
                     *         "last_event_at": "2026-06-01T08:00:00.000Z",
                     *         "last_looked_at": "2026-06-01T09:29:10.000Z",
                     *         "last_swept_at": null,
                     *         "next_look_at": "2026-06-01T09:31:00.000Z"
                     *       },
                     *       "id": "con_0190",
                     *       "last_error": "503 from Gmail",
                     *       "paused": false,
                     *       "quota": {
                     *         "left": 5988,
                     *         "spent": 12,
                     *         "units_per_minute": 6000
                     *       },
                     *       "status": "down",
                     *       "triggers": 1,
                     *       "watch": {
                     *         "expiration": "2026-06-08T02:00:00.000Z",
                     *         "failure": null,
                     *         "renewed_at": "2026-06-01T02:00:00.000Z",
                     *         "status": "active",
                     *         "verified_at": "2026-06-01T02:00:01.000Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ConnectorHealth"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    labels_list: {
        parameters: {
            query?: {
                /** @description How many at most. */
                page_size?: number;
                /** @description The next_page_token of the page before. */
                page_token?: string;
            };
            header?: never;
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "labels": [
                     *         {
                     *           "id": "INBOX",
                     *           "name": "INBOX",
                     *           "type": "system"
                     *         },
                     *         {
                     *           "id": "Label_7",
                     *           "name": "Invoices/2026",
                     *           "type": "user"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["LabelList"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    labels_create: {
        parameters: {
            query?: never;
            header?: {
                /** @description Sent again under the same key, the request is answered again, and done once. */
                "Idempotency-Key"?: string;
            };
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "color": {
                 *         "background_color": "#16a765",
                 *         "text_color": "#ffffff"
                 *       },
                 *       "name": "Invoices/2026"
                 *     }
                 */
                "application/json": components["schemas"]["LabelSpec"];
            };
        };
        responses: {
            /** @description Done. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "Label_7",
                     *       "name": "Invoices/2026",
                     *       "type": "user"
                     *     }
                     */
                    "application/json": components["schemas"]["Label"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    labels_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                label_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "INBOX",
                     *       "messages_total": 12,
                     *       "messages_unread": 3,
                     *       "name": "INBOX",
                     *       "threads_total": 9,
                     *       "threads_unread": 3,
                     *       "type": "system"
                     *     }
                     */
                    "application/json": components["schemas"]["Label"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    labels_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                label_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    labels_update: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                label_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Invoices/2027"
                 *     }
                 */
                "application/json": components["schemas"]["LabelSpec"];
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "Label_7",
                     *       "name": "Invoices/2026",
                     *       "type": "user"
                     *     }
                     */
                    "application/json": components["schemas"]["Label"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_list: {
        parameters: {
            query?: {
                /** @description How much of each message is read: nothing but its ids (page_size to 500), its headers (the default), or its bodies too (page_size to 100). */
                format?: "ids" | "metadata" | "full";
                /** @description Whether spam and trash are listed too. */
                include_spam_trash?: boolean;
                /** @description Label ids, comma separated, all of which must be there. */
                label_ids?: string;
                /** @description How many at most. */
                page_size?: number;
                /** @description The next_page_token of the page before. */
                page_token?: string;
                /** @description Gmail's search operators, as in its search box. */
                query?: string;
            };
            header?: never;
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "messages": [
                     *         {
                     *           "attachments": [
                     *             {
                     *               "filename": "may.pdf",
                     *               "inline": false,
                     *               "mime_type": "application/pdf",
                     *               "part_id": "1",
                     *               "size": 1024
                     *             }
                     *           ],
                     *           "authentication": {
                     *             "dkim": "pass",
                     *             "dmarc": "pass",
                     *             "spf": "pass"
                     *           },
                     *           "body": {
                     *             "text": "It is attached.\n"
                     *           },
                     *           "cc": [],
                     *           "from": {
                     *             "address": "ada@example.com",
                     *             "name": "Ada"
                     *           },
                     *           "has_attachments": true,
                     *           "headers": {
                     *             "message_id": "<1@example.com>"
                     *           },
                     *           "id": "19b0000000000001",
                     *           "label_ids": [
                     *             "INBOX",
                     *             "UNREAD"
                     *           ],
                     *           "metadata": {
                     *             "history_id": "4711",
                     *             "size_estimate": 2048
                     *           },
                     *           "reply_to": [],
                     *           "snippet": "It is attached.",
                     *           "subject": "The invoice for May",
                     *           "thread_id": "19b0000000000001",
                     *           "timestamp": "2026-06-01T09:30:00.000Z",
                     *           "to": [
                     *             {
                     *               "address": "bo@example.com"
                     *             }
                     *           ]
                     *         }
                     *       ],
                     *       "next_page_token": "09876543210987654321",
                     *       "result_size_estimate": 201
                     *     }
                     */
                    "application/json": components["schemas"]["MessageList"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_send: {
        parameters: {
            query?: never;
            header?: {
                /** @description Sent again under the same key, the request is answered again, and done once. */
                "Idempotency-Key"?: string;
            };
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "attachments": [
                 *         {
                 *           "content": "VG90YWw6IDcgRVVSCg==",
                 *           "filename": "may.txt",
                 *           "mime_type": "text/plain"
                 *         }
                 *       ],
                 *       "subject": "The invoice for May",
                 *       "text": "It is attached.",
                 *       "to": [
                 *         {
                 *           "address": "bo@example.com",
                 *           "name": "Bo"
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["Outgoing"];
            };
        };
        responses: {
            /** @description Done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "19b0000000000001",
                     *       "label_ids": [
                     *         "SENT"
                     *       ],
                     *       "thread_id": "19b0000000000001"
                     *     }
                     */
                    "application/json": components["schemas"]["PlacedMessage"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_get: {
        parameters: {
            query?: {
                /** @description All (the default), no bodies, only ids and labels, or the mail as RFC 5322 in base64url. */
                format?: "full" | "metadata" | "minimal" | "raw";
            };
            header?: never;
            path: {
                connector_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "attachments": [
                     *         {
                     *           "filename": "may.pdf",
                     *           "inline": false,
                     *           "mime_type": "application/pdf",
                     *           "part_id": "1",
                     *           "size": 1024
                     *         }
                     *       ],
                     *       "authentication": {
                     *         "dkim": "pass",
                     *         "dmarc": "pass",
                     *         "spf": "pass"
                     *       },
                     *       "body": {
                     *         "text": "It is attached.\n"
                     *       },
                     *       "cc": [],
                     *       "from": {
                     *         "address": "ada@example.com",
                     *         "name": "Ada"
                     *       },
                     *       "has_attachments": true,
                     *       "headers": {
                     *         "message_id": "<1@example.com>"
                     *       },
                     *       "id": "19b0000000000001",
                     *       "label_ids": [
                     *         "INBOX",
                     *         "UNREAD"
                     *       ],
                     *       "metadata": {
                     *         "history_id": "4711",
                     *         "size_estimate": 2048
                     *       },
                     *       "reply_to": [],
                     *       "snippet": "It is attached.",
                     *       "subject": "The invoice for May",
                     *       "thread_id": "19b0000000000001",
                     *       "timestamp": "2026-06-01T09:30:00.000Z",
                     *       "to": [
                     *         {
                     *           "address": "bo@example.com"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["MessageView"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_delete: {
        parameters: {
            query?: {
                /** @description true deletes for good, which the scope https://mail.google.com/ alone allows; the default is the trash. */
                permanent?: boolean;
            };
            header?: never;
            path: {
                connector_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deleted": "trash",
                     *       "id": "19b0000000000001"
                     *     }
                     */
                    "application/json": components["schemas"]["Deletion"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    attachments_list: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "attachments": [
                     *         {
                     *           "filename": "may.pdf",
                     *           "inline": false,
                     *           "mime_type": "application/pdf",
                     *           "part_id": "1",
                     *           "size": 1024
                     *         }
                     *       ],
                     *       "bodies": [
                     *         {
                     *           "filename": "",
                     *           "inline": false,
                     *           "mime_type": "text/plain",
                     *           "part_id": "0",
                     *           "size": 214
                     *         }
                     *       ],
                     *       "embedded": []
                     *     }
                     */
                    "application/json": components["schemas"]["AttachmentList"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    attachments_get: {
        parameters: {
            query?: never;
            header?: {
                /** @description One range of bytes; larger attachments want one. */
                Range?: string;
            };
            path: {
                connector_id: string;
                message_id: string;
                part_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The attachment. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description The range that was asked for. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    attachments_url: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                message_id: string;
                part_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "expires_at": "2026-06-01T09:45:00.000Z",
                     *       "filename": "may.pdf",
                     *       "mime_type": "application/pdf",
                     *       "size": 25165824,
                     *       "url": "https://files.example.com/down/0f/con_0190/019b?X-Amz-Signature=fe5f"
                     *     }
                     */
                    "application/json": components["schemas"]["AttachmentLink"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_modify: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "add_label_ids": [
                 *         "STARRED"
                 *       ],
                 *       "remove_label_ids": [
                 *         "UNREAD"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["LabelChange"];
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "19b0000000000001",
                     *       "label_ids": [
                     *         "STARRED"
                     *       ],
                     *       "thread_id": "19b0000000000001"
                     *     }
                     */
                    "application/json": components["schemas"]["PlacedMessage"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_trash: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "19b0000000000001",
                     *       "label_ids": [
                     *         "TRASH"
                     *       ],
                     *       "thread_id": "19b0000000000001"
                     *     }
                     */
                    "application/json": components["schemas"]["PlacedMessage"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_untrash: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "19b0000000000001",
                     *       "label_ids": [
                     *         "INBOX"
                     *       ],
                     *       "thread_id": "19b0000000000001"
                     *     }
                     */
                    "application/json": components["schemas"]["PlacedMessage"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_batch_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "ids": [
                 *         "19b0000000000001"
                 *       ],
                 *       "permanent": false
                 *     }
                 */
                "application/json": components["schemas"]["BatchDeletion"];
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "count": 1,
                     *       "deleted": "trash"
                     *     }
                     */
                    "application/json": components["schemas"]["BatchDeleted"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_batch_modify: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "ids": [
                 *         "19b0000000000001",
                 *         "19b0000000000002"
                 *       ],
                 *       "remove_label_ids": [
                 *         "UNREAD"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["Batch"];
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "count": 2
                     *     }
                     */
                    "application/json": components["schemas"]["BatchModified"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connectors_rehearse: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FiltersRehearsed"];
            };
        };
        responses: {
            /** @description Which mail passes the filters, and why the rest does not. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FiltersRehearsal"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    connectors_sync: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A look at the mailbox is queued. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Queued"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    threads_list: {
        parameters: {
            query?: {
                /** @description Whether spam and trash are listed too. */
                include_spam_trash?: boolean;
                /** @description Label ids, comma separated, all of which must be there. */
                label_ids?: string;
                /** @description How many at most. */
                page_size?: number;
                /** @description The next_page_token of the page before. */
                page_token?: string;
                /** @description Gmail's search operators, as in its search box. */
                query?: string;
            };
            header?: never;
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "result_size_estimate": 1,
                     *       "threads": [
                     *         {
                     *           "history_id": "4711",
                     *           "id": "19b0000000000001",
                     *           "snippet": "It is attached."
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["ThreadList"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    threads_get: {
        parameters: {
            query?: {
                /** @description All (the default), no bodies, or only ids and labels. */
                format?: "full" | "metadata" | "minimal";
            };
            header?: never;
            path: {
                connector_id: string;
                thread_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "history_id": "4711",
                     *       "id": "19b0000000000001",
                     *       "messages": [
                     *         {
                     *           "attachments": [
                     *             {
                     *               "filename": "may.pdf",
                     *               "inline": false,
                     *               "mime_type": "application/pdf",
                     *               "part_id": "1",
                     *               "size": 1024
                     *             }
                     *           ],
                     *           "authentication": {
                     *             "dkim": "pass",
                     *             "dmarc": "pass",
                     *             "spf": "pass"
                     *           },
                     *           "body": {
                     *             "text": "It is attached.\n"
                     *           },
                     *           "cc": [],
                     *           "from": {
                     *             "address": "ada@example.com",
                     *             "name": "Ada"
                     *           },
                     *           "has_attachments": true,
                     *           "headers": {
                     *             "message_id": "<1@example.com>"
                     *           },
                     *           "id": "19b0000000000001",
                     *           "label_ids": [
                     *             "INBOX",
                     *             "UNREAD"
                     *           ],
                     *           "metadata": {
                     *             "history_id": "4711",
                     *             "size_estimate": 2048
                     *           },
                     *           "reply_to": [],
                     *           "snippet": "It is attached.",
                     *           "subject": "The invoice for May",
                     *           "thread_id": "19b0000000000001",
                     *           "timestamp": "2026-06-01T09:30:00.000Z",
                     *           "to": [
                     *             {
                     *               "address": "bo@example.com"
                     *             }
                     *           ]
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Thread"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    threads_delete: {
        parameters: {
            query?: {
                /** @description true deletes for good, which the scope https://mail.google.com/ alone allows; the default is the trash. */
                permanent?: boolean;
            };
            header?: never;
            path: {
                connector_id: string;
                thread_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deleted": "trash",
                     *       "id": "19b0000000000001"
                     *     }
                     */
                    "application/json": components["schemas"]["Deletion"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    threads_modify: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                thread_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "add_label_ids": [
                 *         "STARRED"
                 *       ],
                 *       "remove_label_ids": [
                 *         "UNREAD"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["LabelChange"];
            };
        };
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "19b0000000000001"
                     *     }
                     */
                    "application/json": components["schemas"]["ThreadReference"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    threads_trash: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                thread_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "19b0000000000001"
                     *     }
                     */
                    "application/json": components["schemas"]["ThreadReference"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    threads_untrash: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
                thread_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "19b0000000000001"
                     *     }
                     */
                    "application/json": components["schemas"]["ThreadReference"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploads_create: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                connector_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "size": 25165824
                 *     }
                 */
                "application/json": components["schemas"]["UploadSpec"];
            };
        };
        responses: {
            /** @description The answer. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "expires_at": "2026-06-01T09:45:00.000Z",
                     *       "headers": {
                     *         "content-length": "25165824"
                     *       },
                     *       "method": "PUT",
                     *       "upload_id": "019b0000-0000-7000-8000-00000000001f",
                     *       "url": "https://files.example.com/up/0f/con_0190/019b?X-Amz-Signature=fe5f"
                     *     }
                     */
                    "application/json": components["schemas"]["Upload"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    legacy_push: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["String"];
            };
        };
        responses: {
            /** @description Queued. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    push: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Push"];
            };
        };
        responses: {
            /** @description Queued, or put aside for a human. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    notifications: {
        parameters: {
            query?: {
                /** @description Of a subscription's handshake: it is answered as text. */
                validationToken?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Notifications"];
            };
        };
        responses: {
            /** @description The handshake's text, for validationToken. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Queued what is of this stack's subscriptions. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "may": [
                     *         "see",
                     *         "connect",
                     *         "operate",
                     *         "fire",
                     *         "read_mail"
                     *       ],
                     *       "owner_id": "user-17",
                     *       "role": "operator"
                     *     }
                     */
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Anything"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    owner_export: {
        parameters: {
            query?: {
                /** @description How many at most. */
                page_size?: number;
                /** @description The next_page_token of the page before. */
                page_token?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Export"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    owner_erase: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Nothing is left. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erased"];
                };
            };
            /** @description The rest goes on by itself. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erased"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    system_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Healthy, or degraded: it serves. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "checked_at": "2026-06-01T09:30:00.000Z",
                     *       "checks": [
                     *         {
                     *           "detail": "the table answers",
                     *           "name": "table",
                     *           "remedy": null,
                     *           "status": "healthy"
                     *         },
                     *         {
                     *           "detail": "wake-ups were given up",
                     *           "name": "dead_letters",
                     *           "remedy": "Find out what they died of, then: connectors replay dead-letters; see docs/operations.md#dead-letters",
                     *           "status": "degraded"
                     *         }
                     *       ],
                     *       "status": "degraded"
                     *     }
                     */
                    "application/json": components["schemas"]["SystemHealth"];
                };
            };
            /** @description Down: the table or the issuer's keys are not there. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "checked_at": "2026-06-01T09:30:00.000Z",
                     *       "checks": [
                     *         {
                     *           "detail": "the table answers",
                     *           "name": "table",
                     *           "remedy": null,
                     *           "status": "healthy"
                     *         },
                     *         {
                     *           "detail": "wake-ups were given up",
                     *           "name": "dead_letters",
                     *           "remedy": "Find out what they died of, then: connectors replay dead-letters; see docs/operations.md#dead-letters",
                     *           "status": "degraded"
                     *         }
                     *       ],
                     *       "status": "degraded"
                     *     }
                     */
                    "application/json": components["schemas"]["SystemHealth"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    system_info: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What a frontend needs to know first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "app_public_url": "https://app.example.com",
                     *       "callback_url": "https://app.example.com/auth/google/callback",
                     *       "connector_types": [
                     *         "email"
                     *       ],
                     *       "name": "email-connectors",
                     *       "providers": [
                     *         {
                     *           "connect": "/api/auth/google/gmail",
                     *           "id": "gmail",
                     *           "name": "Gmail",
                     *           "start": "/api/auth/google/gmail/start",
                     *           "type": "email"
                     *         },
                     *         {
                     *           "admin_consent": "/api/auth/microsoft/outlook/admin-consent",
                     *           "connect": "/api/auth/microsoft/outlook",
                     *           "id": "outlook",
                     *           "name": "Outlook",
                     *           "start": "/api/auth/microsoft/outlook/start",
                     *           "type": "email"
                     *         }
                     *       ],
                     *       "version": "1.0.0"
                     *     }
                     */
                    "application/json": components["schemas"]["Info"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    triggers_list: {
        parameters: {
            query?: {
                /** @description How many at most. */
                page_size?: number;
                /** @description The next_page_token of the page before. */
                page_token?: string;
            };
            header?: {
                /** @description The ETag of an earlier answer: 304 if this one is the same. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the caller's triggers. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TriggerList"];
                };
            };
            /** @description Nothing has changed since; without a body. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    triggers_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "agent_id": "billing-agent",
                 *       "config": {
                 *         "connector_id": "con_0190",
                 *         "filters": {
                 *           "has_attachment": true,
                 *           "subject_contains": [
                 *             "invoice"
                 *           ]
                 *         }
                 *       },
                 *       "type": "email"
                 *     }
                 */
                "application/json": components["schemas"]["NewTrigger"];
            };
        };
        responses: {
            /** @description The trigger, and once, of type `webhook`, its secret. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewlyMade"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    triggers_get: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an earlier answer: 304 if this one is the same. */
                "If-None-Match"?: string;
            };
            path: {
                trigger_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The trigger. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trigger"];
                };
            };
            /** @description Nothing has changed since; without a body. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    triggers_delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                trigger_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    triggers_change: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                trigger_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "config": {
                 *         "filters": {
                 *           "authenticated": true,
                 *           "from_domain": [
                 *             "shop.example"
                 *           ]
                 *         }
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["TriggerChange"];
            };
        };
        responses: {
            /** @description The trigger as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trigger"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    triggers_fire: {
        parameters: {
            query?: never;
            header?: {
                /** @description Sent again under the same key, the event is the same. */
                "Idempotency-Key"?: string;
                /** @description In place of a token: `t=<seconds>,v1=<hex of HMAC-SHA256 over "<seconds>.<body>">`. */
                "X-Signature"?: string;
            };
            path: {
                trigger_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "order": 7
                 *     }
                 */
                "application/json": components["schemas"]["Anything"];
            };
        };
        responses: {
            /** @description It fires. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "event_id": "evt_8eda594de71556bdb1d970662bc68251"
                     *     }
                     */
                    "application/json": components["schemas"]["Fired"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    triggers_firings: {
        parameters: {
            query?: {
                /** @description How many at most. */
                page_size?: number;
                /** @description The next_page_token of the page before. */
                page_token?: string;
            };
            header?: {
                /** @description The ETag of an earlier answer: 304 if this one is the same. */
                "If-None-Match"?: string;
            };
            path: {
                trigger_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of what it fired, newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "firings": [
                     *         {
                     *           "connector_id": "con_0190",
                     *           "decided_at": "2026-06-01T09:30:00.000Z",
                     *           "detail_type": "TRIGGER_FIRED",
                     *           "event_id": "evt_8eda594de71556bdb1d970662bc68251",
                     *           "message_id": "19b0000000000001",
                     *           "published": true
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Firings"];
                };
            };
            /** @description Nothing has changed since; without a body. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    triggers_rotate_secret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                trigger_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The secret, shown this once. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rotated"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    triggers_test: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                trigger_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RehearsalRange"];
            };
        };
        responses: {
            /** @description Which mail would fire it, and why the rest would not. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rehearsal"];
                };
            };
            /** @description A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
