package workspace

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// anyResource is the form of resource ids that the reference takes.
var anyResource = regexp.MustCompile(`(?i)^/subscriptions/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/resourcegroups/.*/providers/[a-z.]*/[a-z]*/.*$`)

// kindKeys are the keys of YAML that only some kinds have.
var kindKeys = map[string][]Kind{
	"hub_id": {Project}, "default_resource_group": {Hub}, "workspace_hub": {Default, Hub, Project},
	"compute_runtime": {FeatureStoreKind}, "offline_store": {FeatureStoreKind}, "online_store": {FeatureStoreKind}, "materialization_identity": {FeatureStoreKind},
	"network_acls": {Default, Hub, Project}, "system_datastores_auth_mode": {Default, Hub, Project}, "provision_network_now": {Default, Hub, Project},
	"enable_data_isolation": {Default, Hub, Project}, "allow_roleassignment_on_rg": {Default, Hub, Project}, "serverless_compute": {Default, Hub, Project},
}

// rules reports what does not go together in a file.
func (w *Workspace) rules(d *wire.Decoding, n *wire.Node) {
	kind := w.Kind
	if kind == "" {
		kind = Default
	}
	for _, e := range n.Entries {
		if allowed, some := kindKeys[e.Key]; some && !slices.Contains(allowed, kind) {
			d.At(e.Key).Fault(e.At, "a workspace of the kind %s does not have it", kind)
		}
	}
	if kind == Project && !n.Has("hub_id") {
		d.Fault(n, "the required field %q of a project is missing: the resource id of its hub", "hub_id")
	}
	for _, f := range w.faults() {
		at := n
		if x := n.Get(strings.Split(f.Field, ".")...); x != nil {
			at = x
		}
		d.At(f.Field).Fault(at, "%s", f.Message)
	}
	if w.OldHub != "" {
		if w.Hub == "" {
			w.Hub = w.OldHub
		}
		w.OldHub = ""
	}
	if w.Hub != "" {
		w.Kind = Project
	}
	if s := w.Serverless; s != nil && s.Subnet == "None" { // the reference's word for none
		s.Subnet = ""
	}
}

// faults are those that do not need the file.
func (w *Workspace) faults() (out azureml.Faults) {
	add := func(field, message string) {
		out = append(out, &azureml.Fault{Field: field, Message: message})
	}
	for _, x := range []struct{ field, id string }{
		{"storage_account", w.StorageAccount}, {"container_registry", w.ContainerRegistry}, {"key_vault", w.KeyVault},
		{"application_insights", w.ApplicationInsights}, {"workspace_hub", w.OldHub},
	} {
		if x.id != "" && !anyResource.MatchString(x.id) {
			add(x.field, "is no resource id: /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/PROVIDER/TYPE/NAME")
		}
	}
	if k := w.CustomerKey; k != nil && k.KeyURI != "" {
		if u, err := url.Parse(k.KeyURI); err != nil || u.Scheme != "https" && u.Scheme != "http" || !hostName.MatchString(u.Hostname()) {
			add("customer_managed_key.key_uri", "is no address: https://VAULT.vault.azure.net/keys/KEY/VERSION")
		}
	}
	if a := w.NetworkACLs; a != nil && a.DefaultAction == Deny && len(a.IPRules) == 0 {
		add("network_acls", "needs ip_rules where default_action is Deny: else nobody could come in")
	}
	if s := w.Serverless; s != nil && s.Subnet != "" && s.Subnet != "None" && !subnetID.MatchString(s.Subnet) {
		add("serverless_compute.custom_subnet", "is no resource id of a subnet")
	}
	if w.OfflineStore != nil && w.OfflineStore.Type != string(ConnectionDataLakeGen2) {
		add("offline_store.type", "is azure_data_lake_gen2")
	}
	if w.OnlineStore != nil && w.OnlineStore.Type != "redis" {
		add("online_store.type", "is redis")
	}
	return out
}

var (
	hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
	subnetID = regexp.MustCompile(`(?i)^/?subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/[^/]+/[^/]+(?:/[^/]+/[^/]+)*$`)
)

// Validate says what is wrong with the workspace before it is made, as azureml.Faults. It makes no call.
func (w *Workspace) Validate() error {
	f := w.faults()
	add := func(field, message string) {
		f = append(f, &azureml.Fault{Field: field, Message: message})
	}
	if w.Name == "" {
		add("name", "is required")
	}
	if w.Kind == Project || w.Hub != "" {
		if w.Hub == "" {
			add("hub_id", "is required: the resource id of the project's hub")
		}
		for _, x := range []struct{ field, id string }{{"storage_account", w.StorageAccount}, {"container_registry", w.ContainerRegistry}, {"key_vault", w.KeyVault}} {
			if x.id != "" {
				add(x.field, "a project has its hub's; leave it out")
			}
		}
	}
	return f.Err()
}
