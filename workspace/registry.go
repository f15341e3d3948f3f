package workspace

import (
	"regexp"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Registry shares assets among workspaces, in several regions.
type Registry struct {
	azureml.Meta
	Name string `yaml:"name,required" json:"name,ro"`
	// Description is not sent: the service has no place for it.
	Description string `yaml:"description,empty" json:"-"`
	// Location is the primary region. Required.
	Location string `yaml:"location,required" json:"location"`
	// Tags are those of the resource group that the registry keeps, too.
	Tags                map[string]string    `yaml:"tags,typed" json:"tags"`
	PublicNetworkAccess NetworkAccess        `yaml:"public_network_access" json:"publicNetworkAccess"`
	Property            IntellectualProperty `yaml:"intellectual_property" json:"intellectualProperty"`
	// Regions are where the registry is. Required; the primary region is one of them.
	Regions []RegistryRegion `yaml:"replication_locations,required" json:"regionDetails"`
	// Containers is the container registry of all regions.
	Containers RegistryContainers `yaml:"container_registry" json:"-"`

	Identity             *azureml.ResourceIdentity `yaml:"identity,ro" json:"identity,ro"`
	Kind                 string                    `yaml:"kind,ro" json:"kind,ro"`
	SKU                  string                    `yaml:"sku,ro" json:"sku,ro"`
	ManagedResourceGroup string                    `yaml:"managed_resource_group,ro" json:"managedResourceGroup,ro"`
	TrackingURI          string                    `yaml:"mlflow_registry_uri,ro" json:"mlFlowRegistryUri,ro"`
	DiscoveryURL         string                    `yaml:"discovery_url,ro" json:"discoveryUrl,ro"`
	ProvisioningState    string                    `yaml:"-" json:"provisioningState,ro"`

	doc wire.Document
}

var registryLayout = wire.Layout{
	Name: "registry", Base: "properties",
	At: wire.Table{
		"name": "/name", "location": "/location", "tags": "/tags", "identity": "/identity", "kind": "/kind", "sku": "/sku/name",
		"intellectual_property": ".", "managed_resource_group": "managedResourceGroup/resourceId",
	},
	REST: wire.Fixed{"/identity/type": "SystemAssigned"},
}

// WireLayout says where REST nests differently.
func (Registry) WireLayout() *wire.Layout { return &registryLayout }

// WireDocument gives access to the document that was read.
func (r *Registry) WireDocument() *wire.Document { return &r.doc }

// IntellectualProperty says whose the assets of a registry are.
type IntellectualProperty struct {
	Publisher string `yaml:"publisher" json:"intellectualPropertyPublisher"`
}

// RegistryRegion is a region of a registry, with the storage there.
type RegistryRegion struct {
	Location string          `yaml:"location" json:"location"`
	Storage  RegistryStorage `yaml:"storage_config" json:"storageAccountDetails,keep"`
}

// RegistryStorage is the storage of a region: accounts that the service makes, or Accounts.
type RegistryStorage struct {
	// Hierarchical gives the accounts a hierarchical namespace.
	Hierarchical bool
	// Type defaults to standard_lrs.
	Type StorageType
	// Replicas is the number of accounts. Defaults to 1.
	Replicas int
	// Accounts are the resource ids of accounts that exist already.
	Accounts []string
	// Made are the resource ids of accounts that the service made. Read only.
	Made []string
}

// StorageType is the redundancy of a storage account.
type StorageType string

// The redundancies.
const (
	StandardLRS    StorageType = "standard_lrs"
	StandardGRS    StorageType = "standard_grs"
	StandardRAGRS  StorageType = "standard_ragrs"
	StandardZRS    StorageType = "standard_zrs"
	StandardGZRS   StorageType = "standard_gzrs"
	StandardRAGZRS StorageType = "standard_ragzrs"
	PremiumLRS     StorageType = "premium_lrs"
	PremiumZRS     StorageType = "premium_zrs"
)

var storageTypes = wire.SameEnum(
	string(StandardLRS), string(StandardGRS), string(StandardRAGRS), string(StandardZRS),
	string(StandardGZRS), string(StandardRAGZRS), string(PremiumLRS), string(PremiumZRS))

// WireEnum is the table of spellings.
func (StorageType) WireEnum() *wire.Enum { return storageTypes }

// madeStorage is how YAML has accounts that the service makes.
type madeStorage struct {
	Hierarchical bool        `yaml:"storage_account_hns" json:"-"`
	Type         StorageType `yaml:"storage_account_type" json:"-"`
	Replicas     *int        `yaml:"replication_count" json:"-"`
	ID           string      `yaml:"arm_resource_id,ro" json:"-"`
	IDs          []string    `yaml:"replicated_ids,ro" json:"-"`
}

func storedBy(id string) map[string]any {
	return map[string]any{"armResourceId": map[string]any{"resourceId": id}}
}

// EncodeWire writes a mapping or a list of ids in YAML, and one entry for each account in REST.
func (s RegistryStorage) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() != wire.REST {
		if s.Accounts != nil {
			return e.Value(s.Accounts)
		}
		m := madeStorage{Hierarchical: s.Hierarchical, Type: s.Type}
		if s.Replicas > 0 {
			m.Replicas = &s.Replicas
		}
		return e.Value(m)
	}
	list := []any{}
	for _, id := range s.Accounts {
		list = append(list, map[string]any{"userCreatedStorageAccount": storedBy(id)})
	}
	if s.Accounts != nil {
		return list, nil
	}
	if s.Type == "" {
		s.Type = StandardLRS
	}
	for range max(1, s.Replicas) { // an entry each: an update changes them in place
		list = append(list, map[string]any{"systemCreatedStorageAccount": map[string]any{
			"storageAccountHnsEnabled": s.Hierarchical, "storageAccountType": storageTypes.RESTValue(string(s.Type)),
		}})
	}
	return list, nil
}

var storageID = regexp.MustCompile(`^/subscriptions/.*/resourceGroups/.*/providers/Microsoft.Storage/storageAccounts/.*`)

// DecodeWire reads them.
func (s *RegistryStorage) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() == wire.REST {
		s.read(n)
		return
	}
	if n.Kind == wire.Sequence {
		d.Into(n, &s.Accounts)
		for i, id := range s.Accounts {
			if !storageID.MatchString(id) {
				d.Fault(n.Items[i], "%q is no resource id of a storage account: /subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/NAME", id)
			}
		}
		return
	}
	var m madeStorage
	d.Into(n, &m)
	s.Hierarchical, s.Type = m.Hierarchical, m.Type
	if m.Replicas == nil {
		return
	}
	if s.Replicas = *m.Replicas; s.Replicas < 1 {
		d.At("replication_count").Fault(n.Get("replication_count"), "%d is less than 1", s.Replicas)
	}
}

func (s *RegistryStorage) read(n *wire.Node) {
	for _, x := range n.Items {
		if id, ok := x.Get("userCreatedStorageAccount", "armResourceId", "resourceId").Str(); ok {
			s.Accounts = append(s.Accounts, id)
			continue
		}
		made := x.Get("systemCreatedStorageAccount")
		if made == nil {
			continue
		}
		if s.Replicas++; s.Replicas == 1 {
			s.Hierarchical, _ = made.Get("storageAccountHnsEnabled").Tree().(bool)
			kind, _ := made.Get("storageAccountType").Str()
			s.Type = StorageType(kind)
			if t, ok := storageTypes.Parse(kind); ok {
				s.Type = StorageType(t)
			}
		}
		if id, ok := made.Get("armResourceId", "resourceId").Str(); ok {
			s.Made = append(s.Made, id)
		}
	}
}

// RegistryContainers is the container registry of a registry: one that the service makes in each region, or ID.
type RegistryContainers struct {
	// ID is the resource id of a container registry that exists already.
	ID string
	// SKU of those that are made. Defaults to Premium, the only one.
	SKU string
	// Made is the resource id of the first region's that was made. Read only.
	Made string
}

type madeContainers struct {
	SKU containerSKU `yaml:"acr_account_sku,required" json:"-"`
	ID  string       `yaml:"arm_resource_id,ro" json:"-"`
}

type containerSKU string

var containerSKUs = wire.NewEnum("premium", "Premium")

// WireEnum is the table of spellings.
func (containerSKU) WireEnum() *wire.Enum { return containerSKUs }

// EncodeWire writes the id or a mapping in YAML, and the entry of a region in REST.
func (c RegistryContainers) EncodeWire(e *wire.Encoding) (any, error) {
	switch rest := e.Spelling() == wire.REST; {
	case !rest && c.ID != "":
		return c.ID, nil
	case !rest && c.SKU == "":
		return wire.Omit, nil
	case !rest:
		return e.Value(madeContainers{SKU: containerSKU(c.SKU)})
	case c.ID != "":
		return map[string]any{"userCreatedAcrAccount": storedBy(c.ID)}, nil
	}
	sku := c.SKU
	if sku == "" {
		sku = "premium"
	}
	return map[string]any{"systemCreatedAcrAccount": map[string]any{"acrAccountSku": containerSKUs.RESTValue(sku)}}, nil
}

var containersID = regexp.MustCompile(`^/subscriptions/.*/resourceGroups/.*/providers/Microsoft.ContainerRegistry/registries/.*`)

// DecodeWire reads them.
func (c *RegistryContainers) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() == wire.REST {
		made := n.Get("systemCreatedAcrAccount")
		c.ID, _ = n.Get("userCreatedAcrAccount", "armResourceId", "resourceId").Str()
		c.Made, _ = made.Get("armResourceId", "resourceId").Str()
		c.SKU, _ = made.Get("acrAccountSku").Str()
		if s, ok := containerSKUs.Parse(c.SKU); ok {
			c.SKU = s
		}
		return
	}
	if n.Kind != wire.Mapping {
		if id, ok := d.Text(n); ok {
			if c.ID = id; !containersID.MatchString(id) {
				d.Fault(n, "%q is no resource id of a container registry: /subscriptions/…/resourceGroups/…/providers/Microsoft.ContainerRegistry/registries/NAME", id)
			}
		}
		return
	}
	var m madeContainers
	d.Into(n, &m)
	c.SKU = string(m.SKU)
}

// AfterEncodeWire gives each region the container registry, and the managed resource group the tags.
func (r Registry) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() != wire.REST {
		return nil
	}
	regions, _ := m["regionDetails"].([]any) // absent when there are none
	for _, x := range regions {
		entry, err := r.Containers.EncodeWire(e)
		if err != nil {
			return err
		}
		if region, ok := x.(map[string]any); ok {
			region["acrDetails"] = []any{entry}
		}
	}
	if r.Tags != nil {
		tags := map[string]any{}
		for k, v := range r.Tags {
			tags[k] = v
		}
		wire.AsWritten(&r.doc, "tags", tags)
		m["managedResourceGroupTags"] = tags
	}
	return nil
}

// AfterDecodeWire takes the container registry from the first region.
func (r *Registry) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.REST {
		return
	}
	if regions := n.Get("properties", "regionDetails"); regions != nil && len(regions.Items) > 0 {
		if all := regions.Items[0].Get("acrDetails"); all != nil && len(all.Items) > 0 {
			d.Into(all.Items[0], &r.Containers)
		}
	}
}
