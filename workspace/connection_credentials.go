package workspace

import (
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// ConnectionCredentials open what a connection leads to. At most one field is set; none is the type's default: AAD for
// storage and Azure's AI services, else None.
type ConnectionCredentials struct {
	PAT              *PersonalAccessToken  `yaml:"pat" json:"PAT"`
	SAS              *ConnectionSAS        `yaml:"sas" json:"SAS"`
	UserPassword     *UserPassword         `yaml:"username_password" json:"UsernamePassword"`
	ManagedIdentity  *ConnectionIdentity   `yaml:"managed_identity" json:"ManagedIdentity"`
	ServicePrincipal *ConnectionPrincipal  `yaml:"service_principal" json:"ServicePrincipal"`
	AccessKey        *AccessKey            `yaml:"access_key" json:"AccessKey"`
	APIKey           *APIKey               `yaml:"api_key" json:"ApiKey"`
	AccountKey       *ConnectionAccountKey `yaml:"account_key" json:"AccountKey"`
	// AAD is the identity of whoever uses the connection.
	AAD *AADCredentials `yaml:"aad" json:"AAD"`
	// None says that there are none.
	None *NoCredentials `yaml:"none" json:"None"`
	// CustomKeys and OAuth2 are beyond the YAML of az.
	CustomKeys *CustomKeys `yaml:"custom_keys" json:"CustomKeys"`
	OAuth2     *OAuth2     `yaml:"o_auth2" json:"OAuth2"`
	// Other keeps authType and credentials of a kind that this version does not know.
	Other wire.Raw
}

// PersonalAccessToken is a token of a Git service or package feed.
type PersonalAccessToken struct {
	Token string `yaml:"pat,required" json:"pat"`
}

// ConnectionSAS is a shared access signature of a storage account.
type ConnectionSAS struct {
	Token string `yaml:"sas_token,required" json:"sas"`
}

// UserPassword is a name with a password.
type UserPassword struct {
	User     string `yaml:"username,required" json:"username"`
	Password string `yaml:"password,required" json:"password"`
}

// ConnectionIdentity is a managed identity.
type ConnectionIdentity struct {
	ClientID   string `yaml:"client_id" json:"clientId"`
	ResourceID string `yaml:"resource_id" json:"resourceId"`
}

// ConnectionPrincipal is an application of Microsoft Entra with a secret.
type ConnectionPrincipal struct {
	ClientID     string `yaml:"client_id" json:"clientId"`
	ClientSecret string `yaml:"client_secret,required" json:"clientSecret"`
	TenantID     string `yaml:"tenant_id" json:"tenantId"`
}

// AccessKey is a key of Amazon's services.
type AccessKey struct {
	ID     string `yaml:"access_key_id,required" json:"accessKeyId"`
	Secret string `yaml:"secret_access_key,required" json:"secretAccessKey"`
}

// APIKey is the key of a service.
type APIKey struct {
	Key string `yaml:"key,required" json:"key"`
}

// ConnectionAccountKey is the key of a storage account.
type ConnectionAccountKey struct {
	Key string `yaml:"account_key,required" json:"key"`
}

// AADCredentials has no fields.
type AADCredentials struct{}

// NoCredentials has no fields.
type NoCredentials struct{}

// CustomKeys are secrets by name.
type CustomKeys struct {
	Keys map[string]string `yaml:"keys" json:"keys"`
}

// OAuth2 is a client of an OAuth 2 service. ClientID and ClientSecret are required; what else is depends on the service.
type OAuth2 struct {
	AuthURL        string `yaml:"auth_url" json:"authUrl"`
	ClientID       string `yaml:"client_id" json:"clientId"`
	ClientSecret   string `yaml:"client_secret" json:"clientSecret"`
	TenantID       string `yaml:"tenant_id" json:"tenantId"`
	User           string `yaml:"username" json:"username"`
	Password       string `yaml:"password" json:"password"`
	RefreshToken   string `yaml:"refresh_token" json:"refreshToken"`
	DeveloperToken string `yaml:"developer_token" json:"developerToken"`
}

var connectionCredentials = wire.Union{YAML: "type"}

// WireUnion says how the kinds are told apart in YAML. In REST authType stands beside them.
func (ConnectionCredentials) WireUnion() *wire.Union { return &connectionCredentials }

// arms are the kinds by their authType. One that is named, if it is not nil, is made.
func (c *ConnectionCredentials) arms(named string) []credentialsArm {
	return []credentialsArm{
		arm("PAT", &c.PAT, named), arm("SAS", &c.SAS, named), arm("UsernamePassword", &c.UserPassword, named),
		arm("ManagedIdentity", &c.ManagedIdentity, named), arm("ServicePrincipal", &c.ServicePrincipal, named),
		arm("AccessKey", &c.AccessKey, named), arm("ApiKey", &c.APIKey, named), arm("AccountKey", &c.AccountKey, named),
		arm("AAD", &c.AAD, named), arm("None", &c.None, named), arm("CustomKeys", &c.CustomKeys, named), arm("OAuth2", &c.OAuth2, named),
	}
}

type credentialsArm struct {
	authType string
	value    any // nil when it is not set
}

func arm[T any](authType string, at **T, named string) credentialsArm {
	if strings.EqualFold(authType, named) {
		*at = new(T)
	}
	if *at == nil {
		return credentialsArm{authType, nil}
	}
	return credentialsArm{authType, *at}
}

// AuthType is the kind of the credentials as REST spells it: PAT, ApiKey, AAD, … None when nothing is set.
func (c ConnectionCredentials) AuthType() string {
	for _, a := range c.arms("") {
		if a.value != nil {
			return a.authType
		}
	}
	if s, ok := c.Other["authType"].(string); ok {
		return s
	}
	return "None"
}

// empty tells that nothing is set.
func (c *ConnectionCredentials) empty() bool {
	for _, a := range c.arms("") {
		if a.value != nil {
			return false
		}
	}
	return c.Other == nil
}

// EncodeWire puts authType beside the credentials in REST.
func (c ConnectionCredentials) EncodeWire(e *wire.Encoding) (any, error) {
	if c.empty() {
		return wire.Omit, nil
	}
	creds, err := e.Plain(c)
	if err != nil {
		return nil, err
	}
	switch t := c.AuthType(); {
	case e.Spelling() != wire.REST:
		return creds, nil
	case c.Other != nil:
		return creds, nil
	case t == "AAD" || t == "None":
		return map[string]any{"authType": t}, nil
	default:
		return map[string]any{"authType": t, "credentials": creds}, nil
	}
}

// DecodeWire reads them.
func (c *ConnectionCredentials) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.REST {
		if n.IsNull() {
			d.Fault(n, "is null; leave the key out, or say type: none")
			return
		}
		d.Plain(n, c)
		return
	}
	auth, ok := n.Get("authType").Str()
	if !ok {
		return
	}
	creds := n.Get("credentials")
	for _, a := range c.arms(auth) {
		if a.value != nil {
			if !creds.IsNull() {
				d.At("credentials").Into(creds, a.value)
			}
			return
		}
	}
	c.Other = wire.Raw{"authType": auth}
	if m, ok := creds.Tree().(map[string]any); ok {
		c.Other["credentials"] = m
	}
}

// String keeps the secret out of what is printed.
func (PersonalAccessToken) String() string { return "personal access token (redacted)" }

// GoString is String.
func (t PersonalAccessToken) GoString() string { return t.String() }

// String keeps the secret out of what is printed.
func (ConnectionSAS) String() string { return "shared access signature (redacted)" }

// GoString is String.
func (s ConnectionSAS) GoString() string { return s.String() }

// String keeps the secret out of what is printed.
func (p UserPassword) String() string { return "user " + p.User + " (redacted)" }

// GoString is String.
func (p UserPassword) GoString() string { return p.String() }

// String keeps the secret out of what is printed.
func (p ConnectionPrincipal) String() string {
	return "service principal " + p.ClientID + " (redacted)"
}

// GoString is String.
func (p ConnectionPrincipal) GoString() string { return p.String() }

// String keeps the secret out of what is printed.
func (k AccessKey) String() string { return "access key " + k.ID + " (redacted)" }

// GoString is String.
func (k AccessKey) GoString() string { return k.String() }

// String keeps the secret out of what is printed.
func (APIKey) String() string { return "API key (redacted)" }

// GoString is String.
func (k APIKey) GoString() string { return k.String() }

// String keeps the secret out of what is printed.
func (ConnectionAccountKey) String() string { return "account key (redacted)" }

// GoString is String.
func (k ConnectionAccountKey) GoString() string { return k.String() }

// String keeps the secrets out of what is printed.
func (CustomKeys) String() string { return "custom keys (redacted)" }

// GoString is String.
func (k CustomKeys) GoString() string { return k.String() }

// String keeps the secrets out of what is printed.
func (o OAuth2) String() string { return "OAuth 2 client " + o.ClientID + " (redacted)" }

// GoString is String.
func (o OAuth2) GoString() string { return o.String() }
