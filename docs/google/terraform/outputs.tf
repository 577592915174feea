output "pubsub_topic" {
  description = "The stack's parameter PubSubTopic."
  value       = google_pubsub_topic.gmail.id
}

output "pubsub_subscription" {
  description = "The stack's parameter PubSubSubscription."
  value       = google_pubsub_subscription.gmail.id
}

output "pubsub_service_account" {
  description = "The stack's parameter PubSubServiceAccount."
  value       = google_service_account.push.email
}

output "pubsub_audience" {
  description = "The stack's parameter PubSubAudience."
  value       = var.audience
}

output "parameter_overrides" {
  description = "All four, for sam deploy --parameter-overrides."
  value = join(" ", [
    "PubSubTopic=${google_pubsub_topic.gmail.id}",
    "PubSubSubscription=${google_pubsub_subscription.gmail.id}",
    "PubSubAudience=${var.audience}",
    "PubSubServiceAccount=${google_service_account.push.email}",
  ])
}
