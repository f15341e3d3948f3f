package endpoints

import (
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/endpoints/serve"
)

// ServerEnvironment is the environment of a scoring server whose build context
// serve.Context wrote: Azure builds an image of it, a local workspace runs it
// as a process. name may be empty for one that stands inside a deployment. It is
// here and not in serve, which programs in containers import.
func ServerEnvironment(name string, b *serve.BuildContext) *assets.Environment {
	route := func(path string) *assets.Route { return &assets.Route{Path: path, Port: b.Port} }
	return &assets.Environment{
		Name: name, Build: &assets.Build{Path: b.Dir, Dockerfile: b.Dockerfile},
		InferenceConfig: &assets.InferenceConfig{Liveness: route(b.Liveness), Readiness: route(b.Readiness), Scoring: route(b.Score)},
	}
}
