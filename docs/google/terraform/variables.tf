variable "project" {
  description = "Id of the project that holds the OAuth client: Gmail publishes only to a topic of that project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project must be a project's id, such as my-project-123, and neither its name nor its number."
  }
}

variable "push_endpoint" {
  description = "The stack's output PubSubPushEndpoint."
  type        = string

  validation {
    condition     = can(regex("^https://[^/[:space:]]+/[^[:space:]]*$", var.push_endpoint))
    error_message = "push_endpoint must be an https URL with a path: the stack's output PubSubPushEndpoint."
  }
}

variable "audience" {
  description = "What the pushes' tokens are for: the stack's parameter PubSubAudience. Any text that only you use, such as the API's URL."
  type        = string

  validation {
    condition     = can(regex("^[^[:space:]]+$", var.audience))
    error_message = "audience must be a text without spaces, the same as the stack's parameter PubSubAudience."
  }
}

variable "name" {
  description = "Name of topic and subscription; <name>-dead-letters is what is refused, <name>-push the account that signs."
  type        = string
  default     = "gmail"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,24}$", var.name))
    error_message = "name must be 3 to 25 lower-case letters, digits and dashes, a letter first: it is part of an account's id."
  }
}
