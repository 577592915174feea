# What Gmail needs to notify the connectors: the same as ../setup.sh makes.

data "google_project" "this" {
  project_id = var.project
}

locals {
  # Makes the tokens of the pushes, and moves what is refused.
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  # Gmail's own account, the same for everybody.
  gmail = "serviceAccount:gmail-api-push@system.gserviceaccount.com"
}

resource "google_project_service" "this" {
  for_each = toset(["gmail.googleapis.com", "iam.googleapis.com", "pubsub.googleapis.com"])

  project            = var.project
  service            = each.value
  disable_on_destroy = false
}

resource "google_service_account" "push" {
  project      = var.project
  account_id   = "${var.name}-push"
  display_name = "Signs the pushes to the email connectors"

  depends_on = [google_project_service.this]
}

resource "google_service_account_iam_member" "signs" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

resource "google_pubsub_topic" "gmail" {
  project = var.project
  name    = var.name

  depends_on = [google_project_service.this]
}

resource "google_pubsub_topic_iam_member" "gmail_publishes" {
  project = var.project
  topic   = google_pubsub_topic.gmail.name
  role    = "roles/pubsub.publisher"
  member  = local.gmail
}

resource "google_pubsub_topic" "dead_letters" {
  project = var.project
  name    = "${var.name}-dead-letters"

  depends_on = [google_project_service.this]
}

# Without a subscription what comes to a topic is gone.
resource "google_pubsub_subscription" "dead_letters" {
  project                    = var.project
  name                       = "${var.name}-dead-letters"
  topic                      = google_pubsub_topic.dead_letters.id
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic_iam_member" "agent_publishes" {
  project = var.project
  topic   = google_pubsub_topic.dead_letters.name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription" "gmail" {
  project                    = var.project
  name                       = var.name
  topic                      = google_pubsub_topic.gmail.id
  ack_deadline_seconds       = 30
  message_retention_duration = "604800s"

  push_config {
    push_endpoint = var.push_endpoint

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = var.audience
    }
  }

  # Never.
  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = 100
  }

  depends_on = [google_service_account_iam_member.signs, google_pubsub_topic_iam_member.agent_publishes]
}

resource "google_pubsub_subscription_iam_member" "agent_acknowledges" {
  project      = var.project
  subscription = google_pubsub_subscription.gmail.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
