package azureml

import (
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/wire"
)

// A Ref names something that exists, wherever an asset, a compute or a definition is wanted:
//
//	azureml:name:version            an asset of the workspace
//	azureml:name@label              its version with that label, mostly latest
//	azureml:name                    a compute, datastore, job; a component's default version
//	azureml://registries/R/models/N/versions/V
//	azureml://datastores/D/paths/P, https://…   places of data
//	/subscriptions/…                a resource id, with or without azureml: before it
type Ref string

// EncodeWire writes ids without the prefix azureml: in REST, and with it elsewhere.
func (r Ref) EncodeWire(e *wire.Encoding) (any, error) {
	s := string(r)
	if s == "" {
		return wire.Omit, nil
	}
	id := strings.TrimPrefix(s, "azureml:")
	if strings.HasPrefix(strings.ToLower(id), "/subscriptions/") {
		switch e.Spelling() {
		case wire.REST, wire.Snake, wire.NodeJSON:
			return id, nil
		}
		return "azureml:" + id, nil
	}
	return s, nil
}

// DecodeWire reads a string.
func (r *Ref) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if s, ok := d.Text(n); ok {
		*r = Ref(s)
	}
}

// Duration is time.Duration. YAML has whole seconds, minutes or milliseconds, REST ISO 8601.
type Duration = time.Duration

// EnvironmentRef makes a Ref an environment's source (assets.EnvironmentSource).
func (r Ref) EnvironmentRef() Ref { return r }

// ModelRef makes a Ref a model's source (assets.ModelSource).
func (r Ref) ModelRef() Ref { return r }

// ComponentRef makes a Ref a component's source (jobs.ComponentSource).
func (r Ref) ComponentRef() Ref { return r }
