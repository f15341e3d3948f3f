// Package endpoints serves models: online endpoints and their deployments, asked one request at a time, batch endpoints,
// asked with files, and serverless endpoints of models from the catalogue. [OnlineClient], [BatchClient],
// [ServerlessClient] and [MarketplaceClient] are fields of a workspace's client.
//
// An online endpoint is an address with keys or tokens; its deployments, each a model with what runs it, share the
// requests out by [Traffic]:
//
//	creating, err := ws.Online.BeginCreate(ctx, &endpoints.OnlineEndpoint{Name: "iris"}, nil)
//	endpoint, err := creating.PollUntilDone(ctx, nil)
//	server, err := serve.Context(ctx, "./cmd/score", nil) // a scoring server in Go and its Dockerfile
//	deploying, err := ws.Online.BeginCreateDeployment(ctx, &endpoints.OnlineDeployment{
//		Name: "blue", Endpoint: "iris", InstanceType: "Standard_DS3_v2", InstanceCount: 1,
//		Model: azureml.Ref("azureml:iris@latest"), Environment: endpoints.ServerEnvironment("iris-server", server),
//	}, nil)
//	_, err = deploying.PollUntilDone(ctx, nil)
//	routing, err := ws.Online.BeginUpdateTraffic(ctx, "iris", endpoints.Traffic{"blue": 100}, nil)
//	_, err = routing.PollUntilDone(ctx, nil)
//	answer, err := ws.Online.Score(ctx, "iris", rows, nil)
//
// Instead of a server of its own a deployment can have a scoring script in Python (Code) or an MLflow model, which need
// no server. A deployment that does not come up is a [DeploymentError] with the end of its log, a request that fails a
// [ScoreError]. For many requests to one endpoint make one [Scorer]: it asks for the key once.
//
// A batch endpoint starts a job for each request: [BatchClient.Invoke].
package endpoints
