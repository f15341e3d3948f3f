// Package arm holds what every part of the local workspace says about resources: their ids and scopes, the hosts that canonical documents name, the errors of the
// resource manager, and the resolution of asset references and storage addresses to a place in the blob service.
// It serves no routes.
package arm
