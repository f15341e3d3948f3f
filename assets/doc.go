// Package assets holds what a workspace keeps by name and version: data, models, environments, code, and the datastores
// that their bytes live in. It uploads and downloads those bytes, and knows the ignore rules and hashes by which this
// module and azure-ai-ml recognise each other's snapshots.
package assets
