package azureml

import (
	"github.com/azureml-go/azureml/internal/wire"
)

// Identity is who a job acts as. At most one field is set; none leaves it to the compute.
type Identity struct {
	// Managed is the managed identity of the compute.
	Managed *ManagedIdentity `yaml:"managed,managed_identity" json:"Managed"`
	// AMLToken is a token of the workspace's own.
	AMLToken *AMLTokenIdentity `yaml:"aml_token" json:"AMLToken"`
	// User is the one who submits the job.
	User *UserIdentity `yaml:"user_identity" json:"UserIdentity"`
	// Other is a kind that this version does not know.
	Other Raw `yaml:"-" json:"*"`
}

var identity = wire.Union{YAML: "type", REST: "identityType"}

// WireUnion describes the one-of.
func (Identity) WireUnion() *wire.Union { return &identity }

// ManagedIdentity names one of several identities of the compute, by one of its three ids. The zero value is the only one.
type ManagedIdentity struct {
	ClientID   string `yaml:"client_id" json:"clientId"`
	ObjectID   string `yaml:"object_id" json:"objectId"`
	ResourceID string `yaml:"msi_resource_id" json:"resourceId"`
}

// AMLTokenIdentity has no fields.
type AMLTokenIdentity struct{}

// UserIdentity has no fields.
type UserIdentity struct{}

// IdentityType says which identities a resource has.
type IdentityType string

// The identity types.
const (
	SystemAssigned             IdentityType = "system_assigned"
	UserAssigned               IdentityType = "user_assigned"
	SystemAssignedUserAssigned IdentityType = "system_assigned,user_assigned"
	NoIdentity                 IdentityType = "none"
)

var identityTypes = wire.NewEnum(
	string(SystemAssigned), "SystemAssigned", string(UserAssigned), "UserAssigned",
	string(SystemAssignedUserAssigned), "SystemAssigned,UserAssigned", string(NoIdentity), "None")

// WireEnum is the table of spellings.
func (IdentityType) WireEnum() *wire.Enum { return identityTypes }

// ResourceIdentity is the identity of a compute, endpoint, workspace or registry.
type ResourceIdentity struct {
	Type         IdentityType           `yaml:"type,required" json:"type"`
	UserAssigned UserAssignedIdentities `yaml:"user_assigned_identities" json:"userAssignedIdentities"`
	PrincipalID  string                 `yaml:"principal_id,ro" json:"principalId,ro"`
	TenantID     string                 `yaml:"tenant_id,ro" json:"tenantId,ro"`
}

// UserAssignedIdentity is a managed identity that a resource was given.
type UserAssignedIdentity struct {
	ResourceID  string `yaml:"resource_id,required" json:"resourceId"`
	ClientID    string `yaml:"client_id" json:"clientId,ro"`
	PrincipalID string `yaml:"principal_id" json:"principalId,ro"`
}

// UserAssignedIdentities are a list in Go and a mapping by resource id in REST.
type UserAssignedIdentities []UserAssignedIdentity

// EncodeWire makes REST's mapping of empty objects.
func (u UserAssignedIdentities) EncodeWire(e *wire.Encoding) (any, error) {
	if u == nil {
		return wire.Omit, nil
	}
	if e.Spelling() == wire.YAML || e.Spelling() == wire.Spec {
		return e.Value([]UserAssignedIdentity(u))
	}
	m := make(map[string]any, len(u))
	for _, x := range u {
		m[x.ResourceID] = map[string]any{}
	}
	return m, nil
}

// DecodeWire reads a list of resource_id mappings, or a mapping whose keys are the ids.
func (u *UserAssignedIdentities) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if n.IsNull() {
		return
	}
	if n.Kind != wire.Mapping {
		d.Into(n, (*[]UserAssignedIdentity)(u))
		return
	}
	for _, e := range n.Entries {
		x := UserAssignedIdentity{ResourceID: e.Key}
		x.ClientID, _ = e.Value.Get("clientId").Str()
		x.PrincipalID, _ = e.Value.Get("principalId").Str()
		*u = append(*u, x)
	}
}
