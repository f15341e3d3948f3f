package workspace

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/compute"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

// LoadOptions are the choices of Load. The zero value loads the file as it is.
type LoadOptions struct {
	// Set are overrides as of `az ml --set`: "resources.instance_count=2", applied in their order.
	Set []string
	// Name and Endpoint replace name and endpoint_name, as --name and --endpoint-name do.
	Name, Endpoint string
}

// loader reads one kind of file.
type loader struct {
	name string
	// schemas are the last parts of $schema, without .schema.json, in lower case.
	schemas []string
	// types are values of the key type that mean this kind where there is no $schema.
	types []string
	// sure tells by type and keys together, before types are asked.
	sure func(n *wire.Node) bool
	// keys tells by a document's keys, where there is neither.
	keys func(n *wire.Node) bool
	load func(data []byte, file string, o *wire.LoadOptions) (any, error)
}

// of loads into a kind, or into a sealed interface of kinds.
func of[T any](finish func(T) any) func([]byte, string, *wire.LoadOptions) (any, error) {
	return func(data []byte, file string, o *wire.LoadOptions) (any, error) {
		var v T
		if err := wire.LoadYAML(data, file, &v, o); err != nil {
			return nil, err
		}
		return finish(v), nil
	}
}

func pointer[T any](v T) any { return &v }
func itself[T any](v T) any  { return v }

func has(n *wire.Node, keys ...string) bool {
	return !slices.ContainsFunc(keys, func(k string) bool { return !n.Has(k) })
}

// loaders are tried in this order.
var loaders = []loader{
	{
		name: "job", load: of(itself[jobs.Spec]),
		schemas: []string{"commandjob", "sweepjob", "pipelinejob", "sparkjob", "automljob", "importjob", "paralleljob", "finetuningjob", "distillationjob"},
		types:   []string{"command", "sweep", "pipeline", "spark", "automl", "import", "finetuning", "distillation"},
		keys:    func(n *wire.Node) bool { return n.Has("command") && (n.Has("compute") || n.Has("environment")) },
	},
	{
		name: "component", load: of(itself[jobs.Component]),
		schemas: []string{"commandcomponent", "pipelinecomponent", "parallelcomponent", "sparkcomponent", "datatransfercomponent", "importcomponent", "automlcomponent", "flow", "run"},
		types:   []string{"parallel", "data_transfer"},
		sure:    isComponent,
	},
	{
		name: "schedule", load: of(pointer[jobs.Schedule]), schemas: []string{"schedule", "monitorschedule"},
		keys: func(n *wire.Node) bool { return n.Has("trigger") && (n.Has("create_job") || n.Has("create_monitor")) },
	},
	{
		name: "data import", load: of(pointer[jobs.DataImport]), schemas: []string{"dataimport"},
		sure: func(n *wire.Node) bool { return has(n, "name", "path", "source") && !n.Has("task") },
	},
	{name: "data", load: of(pointer[assets.Data]), schemas: []string{"data"}, types: []string{"uri_file", "uri_folder", "mltable"}},
	{name: "model", load: of(pointer[assets.Model]), schemas: []string{"model"}, types: []string{"custom_model", "mlflow_model", "triton_model"}},
	{
		name: "environment", load: of(pointer[assets.Environment]), schemas: []string{"environment"},
		keys: func(n *wire.Node) bool {
			return has(n, "name") && (n.Has("image") || n.Has("build")) && !n.Has("jobs") && !n.Has("command")
		},
	},
	{
		name: "datastore", load: of(itself[assets.Datastore]),
		schemas: []string{"azureblob", "azurefile", "azuredatalakegen1", "azuredatalakegen2", "onelake"},
		types:   []string{"azure_blob", "azure_file", "azure_data_lake_gen1", "azure_data_lake_gen2", "one_lake"},
	},
	{
		name: "compute", load: of(itself[compute.Compute]),
		schemas: []string{"amlcompute", "computeinstance", "vmcompute", "kubernetescompute", "synapsesparkcompute"},
		types:   []string{"amlcompute", "computeinstance", "virtualmachine", "kubernetes", "synapsespark"},
	},
	{name: "online endpoint", load: of(pointer[endpoints.OnlineEndpoint]), schemas: []string{"managedonlineendpoint", "kubernetesonlineendpoint", "onlineendpoint"}, keys: isOnlineEndpoint},
	{
		name: "online deployment", load: of(pointer[endpoints.OnlineDeployment]),
		schemas: []string{"managedonlinedeployment", "kubernetesonlinedeployment", "onlinedeployment"},
		types:   []string{"managed"},
		keys:    func(n *wire.Node) bool { return has(n, "endpoint_name", "instance_type") },
	},
	{name: "batch endpoint", load: of(pointer[endpoints.BatchEndpoint]), schemas: []string{"batchendpoint"}, keys: func(n *wire.Node) bool { return n.Get("defaults").Has("deployment_name") }},
	{
		name: "batch deployment", load: of(itself[endpoints.BatchDeployment]),
		schemas: []string{"batchdeployment", "modelbatchdeployment", "pipelinecomponentbatchdeployment"},
		types:   []string{"model"},
		sure: func(n *wire.Node) bool {
			return has(n, "endpoint_name") && (n.Has("component") || n.Has("job_definition"))
		},
		keys: func(n *wire.Node) bool { return has(n, "endpoint_name") },
	},
	{
		name: "serverless endpoint", load: of(pointer[endpoints.ServerlessEndpoint]), schemas: []string{"serverlessendpoint"},
		keys: func(n *wire.Node) bool { return has(n, "model_id") }, // a marketplace subscription looks the same: it needs its $schema
	},
	{name: "marketplace subscription", load: of(pointer[endpoints.MarketplaceSubscription]), schemas: []string{"marketplacesubscription"}},
	{
		name: "connection", load: of(pointer[Connection]), schemas: []string{"connection", "workspaceconnection"}, types: connectionWords(),
		sure: func(n *wire.Node) bool { // datastores have these types too
			t, _ := n.Get("type").Str()
			_, known := connectionTypes.Parse(t)
			return known && (n.Has("target") || n.Has("url"))
		},
	},
	{
		name: "registry", load: of(pointer[Registry]), schemas: []string{"registry"},
		keys: func(n *wire.Node) bool { return has(n, "replication_locations") },
	},
	{
		name: "feature store", schemas: []string{"featurestore"},
		load: func(data []byte, file string, o *wire.LoadOptions) (any, error) {
			store := *o
			store.Set = append(slices.Clone(o.Set), wire.Override{Path: "kind", Value: string(FeatureStoreKind)})
			return of(pointer[Workspace])(data, file, &store)
		},
	},
	{
		name: "workspace", load: of(pointer[Workspace]), schemas: []string{"workspace", "hub", "project"},
		keys: func(n *wire.Node) bool {
			return slices.ContainsFunc([]string{"managed_network", "hub_id", "key_vault", "storage_account", "hbi_workspace", "serverless_compute"}, n.Has)
		},
	},
	{name: "capability host", load: of(pointer[CapabilityHost]), schemas: []string{"capabilityhost"}},
	{
		name: "model package", load: of(pointer[assets.ModelPackage]), schemas: []string{"modelversionpackage", "modelpackage"},
		keys: func(n *wire.Node) bool { return has(n, "target_environment", "inferencing_server") },
	},
	{name: "index", load: of(pointer[assets.Index]), schemas: []string{"index"}},
	{
		name: "deployment template", load: of(pointer[endpoints.DeploymentTemplate]), schemas: []string{"deploymenttemplate"}, types: []string{"deployment_template"},
	},
	{name: "feature set", load: of(pointer[assets.FeatureSet]), schemas: []string{"featureset"}, keys: func(n *wire.Node) bool { return has(n, "specification", "entities") }},
	{name: "feature store entity", load: of(pointer[assets.FeatureStoreEntity]), schemas: []string{"featurestoreentity"}, keys: func(n *wire.Node) bool { return n.Has("index_columns") }},
}

// connectionWords are the types that only connections have.
func connectionWords() []string {
	return slices.DeleteFunc(connectionTypes.Values(), func(t string) bool {
		return t == string(ConnectionBlob) || t == string(ConnectionDataLakeGen2)
	})
}

// Load reads a file of `az ml` v2 that holds any kind of entity: which one is said by its $schema, else by its type and
// keys. It returns a pointer to the kind's struct (*assets.Data, *jobs.CommandJob, *endpoints.OnlineEndpoint …), which
// Client.Apply takes. All faults of the file come back at once, as azureml.Faults. Nothing is sent.
func Load(file string, o *LoadOptions) (any, error) {
	if o == nil {
		o = &LoadOptions{}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("workspace: load: %w", err)
	}
	lo := &wire.LoadOptions{Private: os.Getenv("AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED") == "true"}
	for _, s := range o.Set {
		v, err := wire.ParseOverride(s)
		if err != nil {
			return nil, fmt.Errorf("workspace: load %s: %w", file, err)
		}
		lo.Set = append(lo.Set, v)
	}
	for key, v := range map[string]string{"name": o.Name, "endpoint_name": o.Endpoint} {
		if v != "" {
			lo.Set = append(lo.Set, wire.Override{Path: key, Value: v})
		}
	}
	n, err := wire.ParseYAML(data, file, filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("workspace: load: %w", err)
	}
	k, err := kindOf(n)
	if err != nil {
		return nil, fmt.Errorf("workspace: load %s: %w", file, err)
	}
	e, err := k.load(data, file, lo)
	if err != nil {
		return nil, fmt.Errorf("workspace: load: %w", err)
	}
	return e, nil
}

func kindOf(n *wire.Node) (*loader, error) {
	if n.Kind != wire.Mapping {
		return nil, fmt.Errorf("the file holds %s, not a mapping", n.Kind)
	}
	if schema, ok := n.Get("$schema").Str(); ok {
		base := strings.ToLower(path.Base(strings.TrimRight(schema, "/")))
		base = strings.TrimSuffix(strings.TrimSuffix(base, ".json"), ".schema")
		if strings.HasPrefix(base, "automl") && strings.Contains(base, "job") {
			base = "automljob"
		}
		for i := range loaders {
			if slices.Contains(loaders[i].schemas, base) {
				return &loaders[i], nil
			}
		}
		return nil, fmt.Errorf("$schema %q is not of a kind that is known here", schema)
	}
	for i := range loaders {
		if k := loaders[i].sure; k != nil && k(n) {
			return &loaders[i], nil
		}
	}
	if t, ok := n.Get("type").Str(); ok {
		for i := range loaders {
			if slices.Contains(loaders[i].types, strings.ToLower(t)) {
				return &loaders[i], nil
			}
		}
	}
	for i := range loaders {
		if k := loaders[i].keys; k != nil && k(n) {
			return &loaders[i], nil
		}
	}
	return nil, fmt.Errorf("neither $schema nor type and keys say what the file holds; add the $schema that `az ml` files begin with")
}
