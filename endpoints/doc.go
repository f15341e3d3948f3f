// Package endpoints serves models: online endpoints and their deployments, asked one request at a time, batch endpoints,
// asked with files, and serverless endpoints of models from the catalogue. [OnlineClient], [BatchClient],
// [ServerlessClient] and [MarketplaceClient] are fields of a workspace's client.
package endpoints
