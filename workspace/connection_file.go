package workspace

import (
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// connectionFile is a connection as YAML has it: with a name of each type's own for the target, the key and the resource.
type connectionFile struct {
	azureml.Meta
	Name             string                `yaml:"name,required" json:"-"`
	Type             ConnectionType        `yaml:"type,required" json:"-"`
	Description      string                `yaml:"description" json:"-"`
	Target           *string               `yaml:"target" json:"-"`
	URL              *string               `yaml:"url" json:"-"`
	AzureEndpoint    *string               `yaml:"azure_endpoint" json:"-"`
	APIBase          *string               `yaml:"api_base" json:"-"`
	Endpoint         *string               `yaml:"endpoint" json:"-"`
	APIKey           *string               `yaml:"api_key,null" json:"-"`
	APIVersion       *string               `yaml:"api_version,null" json:"-"`
	OpenAIResource   *string               `yaml:"open_ai_resource_id,null" json:"-"`
	ServicesResource *string               `yaml:"ai_services_resource_id" json:"-"`
	Account          *string               `yaml:"account_name" json:"-"`
	Container        *string               `yaml:"container_name" json:"-"`
	OneLakeWorkspace *string               `yaml:"one_lake_workspace_name" json:"-"`
	Artifact         *lakehouse            `yaml:"artifact,null" json:"-"`
	Credentials      ConnectionCredentials `yaml:"credentials" json:"-"`
	Shared           *bool                 `yaml:"is_shared" json:"-"`
	Metadata         map[string]any        `yaml:"metadata" json:"-"`
	Tags             map[string]any        `yaml:"tags" json:"-"`
}

// lakehouse is what a OneLake connection leads to.
type lakehouse struct {
	Type lakehouseType `yaml:"type,required" json:"-"`
	Name string        `yaml:"name,required" json:"-"`
}

type lakehouseType string

var lakehouseTypes = wire.SameEnum("lake_house")

// WireEnum is the table of spellings.
func (lakehouseType) WireEnum() *wire.Enum { return lakehouseTypes }

// connectionRule is what YAML asks of a type beyond what all have.
type connectionRule struct {
	target   string   // the target's own key; "" is target
	keys     []string // further keys
	required []string
	// auth are the kinds of credentials, "" all of them.
	auth []string
	// key says that the key api_key stands for the credentials, entra that AAD is used without one. storage uses AAD
	// without credentials too.
	key, entra, storage bool
}

var connectionRules = map[ConnectionType]connectionRule{
	ConnectionDataLakeGen2: {storage: true, required: []string{"target"}, auth: []string{"ServicePrincipal", "AAD", "ManagedIdentity", "None"}},
	ConnectionBlob: {
		storage: true, target: "url", keys: []string{"url", "account_name", "container_name"}, required: []string{"url", "account_name", "container_name"},
		auth: []string{"SAS", "AccountKey", "AAD"},
	},
	ConnectionOneLake: {
		storage: true, keys: []string{"endpoint", "one_lake_workspace_name", "artifact"}, required: []string{"endpoint"}, auth: []string{"ServicePrincipal", "AAD"},
	},
	ConnectionAzureOpenAI: {
		target: "azure_endpoint", keys: []string{"azure_endpoint", "api_key", "api_version", "open_ai_resource_id"}, required: []string{"azure_endpoint"}, key: true, entra: true,
	},
	ConnectionAIServices: {
		target: "endpoint", keys: []string{"endpoint", "api_key", "ai_services_resource_id"}, required: []string{"endpoint", "ai_services_resource_id"}, key: true, entra: true,
	},
	ConnectionAISearch:      {target: "endpoint", keys: []string{"endpoint", "api_key"}, required: []string{"endpoint"}, key: true, entra: true},
	ConnectionContentSafety: {target: "endpoint", keys: []string{"endpoint", "api_key"}, required: []string{"endpoint"}, key: true, entra: true},
	ConnectionSpeech:        {target: "endpoint", keys: []string{"endpoint", "api_key"}, required: []string{"endpoint"}, key: true, entra: true},
	ConnectionAPIKey:        {target: "api_base", keys: []string{"api_base", "api_key"}, required: []string{"api_base", "api_key"}, key: true},
	ConnectionOpenAI:        {keys: []string{"api_key"}, required: []string{"api_key"}, key: true},
	ConnectionSerp:          {keys: []string{"api_key"}, required: []string{"api_key"}, key: true},
	ConnectionServerless:    {target: "endpoint", keys: []string{"endpoint", "api_key"}, required: []string{"endpoint", "api_key"}, key: true},
}

// ownKeys are the keys that only some types have.
var ownKeys = []string{
	"url", "azure_endpoint", "api_base", "endpoint", "api_key", "api_version", "open_ai_resource_id", "ai_services_resource_id",
	"account_name", "container_name", "one_lake_workspace_name", "artifact",
}

func ruleOf(t ConnectionType) connectionRule {
	if r, ok := connectionRules[t]; ok {
		return r
	}
	return connectionRule{required: []string{"target"}}
}

// place is the field of the target's own key.
func (f *connectionFile) place(key string) **string {
	switch key {
	case "url":
		return &f.URL
	case "azure_endpoint":
		return &f.AzureEndpoint
	case "api_base":
		return &f.APIBase
	case "endpoint":
		return &f.Endpoint
	}
	return &f.Target
}

// EncodeWire gives YAML the keys of the connection's type.
func (c Connection) EncodeWire(e *wire.Encoding) (any, error) {
	r := ruleOf(c.Type)
	if e.Spelling() == wire.REST {
		if c.Credentials.empty() {
			c.Credentials = r.byDefault()
		}
		return e.Plain(c)
	}
	f := connectionFile{
		Meta: c.Meta, Name: c.Name, Type: c.Type, Description: c.Description, Credentials: c.Credentials, Shared: c.Shared, Metadata: c.Metadata, Tags: c.Tags,
		APIVersion: set(c.APIVersion), Account: set(c.Account), Container: set(c.Container),
	}
	*f.place(r.target) = set(c.Target)
	switch c.Type {
	case ConnectionAIServices:
		f.ServicesResource = set(c.ResourceID)
	case ConnectionOneLake: // the endpoint is required, but the target says it all
		f.Endpoint = new(hostOf(c.Target))
	default:
		f.OpenAIResource = set(c.ResourceID)
	}
	if r.key {
		if k := c.Credentials.APIKey; k != nil {
			f.APIKey, f.Credentials.APIKey = new(k.Key), nil
		}
	}
	return e.Value(f)
}

// set points to a text that is not empty.
func set(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func hostOf(target string) string {
	_, host, _ := strings.Cut(target, "://")
	host, _, _ = strings.Cut(host, "/")
	return host
}

// DecodeWire reads YAML by the rules of the connection's type, and REST as it is.
func (c *Connection) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() == wire.REST {
		d.Plain(n, c)
		if ruleOf(c.Type).storage && c.Credentials.None != nil { // the services' word for AAD, of storage
			c.Credentials = ConnectionCredentials{AAD: &AADCredentials{}}
		}
		return
	}
	before := d.Faulty()
	var f connectionFile
	d.Plain(n, &f)
	r := ruleOf(f.Type)
	if f.Type != "" {
		f.follow(d, n, r)
	}
	if d.Faulty() != before {
		return
	}
	*c = Connection{
		Meta: f.Meta, Name: f.Name, Type: f.Type, Description: f.Description, Target: text(*f.place(r.target)), Credentials: f.Credentials,
		Shared: f.Shared, Metadata: f.Metadata, Tags: f.Tags,
		APIVersion: text(f.APIVersion), ResourceID: text(f.OpenAIResource) + text(f.ServicesResource), Account: text(f.Account), Container: text(f.Container),
	}
	if f.Type == ConnectionOneLake && f.Target == nil {
		c.Target = oneLakeTarget(*f.Endpoint, *f.OneLakeWorkspace, f.Artifact.Name)
	}
	if r.key && text(f.APIKey) != "" {
		c.Credentials = ConnectionCredentials{APIKey: &APIKey{Key: *f.APIKey}}
	}
	c.normalize()
}

// follow reports what the rule of the type does not allow.
func (f *connectionFile) follow(d *wire.Decoding, n *wire.Node, r connectionRule) {
	for _, e := range n.Entries {
		if slices.Contains(ownKeys, e.Key) && !slices.Contains(r.keys, e.Key) {
			better := "target"
			if r.target != "" {
				better = r.target
			}
			switch e.Key {
			case "url", "azure_endpoint", "api_base", "endpoint":
				d.At(e.Key).Fault(e.At, "a connection of the type %s does not have it; did you mean %q?", f.Type, better)
			default:
				d.At(e.Key).Fault(e.At, "a connection of the type %s does not have it", f.Type)
			}
		}
	}
	for _, k := range r.required {
		if !n.Has(k) {
			d.Fault(n, "the required field %q of a connection of the type %s is missing", k, f.Type)
		}
	}
	if f.Type == ConnectionOneLake && f.Target == nil && (f.OneLakeWorkspace == nil || f.Artifact == nil) {
		d.Fault(n, "give one_lake_workspace_name and artifact, or target, the whole address of the lakehouse")
	}
	if why := f.Type.refuses(&f.Credentials, r, text(f.APIKey)); why != "" {
		d.At("credentials").Fault(n.Get("credentials"), "%s", why)
	}
}

// refuses says what is wrong with credentials for the type.
func (t ConnectionType) refuses(c *ConnectionCredentials, r connectionRule, key string) string {
	auth := c.AuthType()
	switch {
	case c.empty() && r.key && !r.entra && key == "":
		return "a connection of the type " + string(t) + " needs api_key"
	case c.empty():
		return ""
	case len(r.auth) > 0 && !slices.Contains(r.auth, auth):
		return "a connection of the type " + string(t) + " takes credentials of the kinds " + strings.Join(r.auth, ", ") + ", not " + auth
	case r.key && key == "" && auth != "ApiKey" && !(r.entra && (auth == "AAD" || auth == "None" || auth == "ManagedIdentity")):
		return "a connection of the type " + string(t) + " takes an api_key, not credentials of the kind " + auth
	}
	return ""
}

// normalize replaces credentials that mean the caller's identity for the type.
func (c *Connection) normalize() {
	r := ruleOf(c.Type)
	if r.storage && c.Credentials.None != nil || r.entra && (c.Credentials.None != nil || c.Credentials.ManagedIdentity != nil) {
		c.Credentials = ConnectionCredentials{AAD: &AADCredentials{}}
	}
}

// byDefault are the credentials of a connection that has none.
func (r connectionRule) byDefault() ConnectionCredentials {
	if r.storage || r.entra {
		return ConnectionCredentials{AAD: &AADCredentials{}}
	}
	return ConnectionCredentials{None: &NoCredentials{}}
}

var guidLike = regexp.MustCompile(`(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// oneLakeTarget is the address of a lakehouse: by its name with the suffix of its kind, by its id without.
func oneLakeTarget(endpoint, workspace, artifact string) string {
	if _, host, schemed := strings.Cut(endpoint, "://"); schemed {
		endpoint = host
	}
	target := "https://" + strings.TrimRight(endpoint, "/") + "/" + workspace + "/" + artifact
	if guidLike.MatchString(artifact) {
		return target
	}
	return target + ".Lakehouse"
}
