package assets

import (
	"net/url"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// Credentials are how a datastore's storage is reached. At most one field is set; with none of them the identity of whoever
// reads is used. Services never answer the secrets in them: see DatastoreClient.Secrets.
type Credentials struct {
	AccountKey       *AccountKey       `yaml:"account_key" json:"AccountKey"`
	SAS              *SAS              `yaml:"sas_token" json:"Sas"`
	ServicePrincipal *ServicePrincipal `yaml:"service_principal" json:"ServicePrincipal"`
	Certificate      *Certificate      `yaml:"certificate" json:"Certificate"`
	// None is read where a service says that there are none. It need not be set.
	None  *NoCredentials `yaml:"none" json:"None"`
	Other wire.Raw
}

var credentials = wire.Union{REST: "credentialsType"}

// WireUnion says how the kinds are told apart.
func (Credentials) WireUnion() *wire.Union { return &credentials }

// NoCredentials says that there are none.
type NoCredentials struct{}

// AccountKey is the key of a storage account.
type AccountKey struct {
	Key string `yaml:"account_key,required" json:"key"`
}

// SAS is a shared access signature.
type SAS struct {
	Token string `yaml:"sas_token,required" json:"sasToken"`
}

// ServicePrincipal is an application of Microsoft Entra with a secret.
type ServicePrincipal struct {
	TenantID     string `yaml:"tenant_id,required" json:"tenantId"`
	ClientID     string `yaml:"client_id,required" json:"clientId"`
	ClientSecret string `yaml:"client_secret,required" json:"clientSecret"`
	AuthorityURL string `yaml:"authority_url" json:"authorityUrl,default=https://login.microsoftonline.com"`
	ResourceURL  string `yaml:"resource_url" json:"resourceUrl"`
}

// Certificate is an application of Microsoft Entra with a certificate.
type Certificate struct {
	TenantID     string `yaml:"tenant_id,required" json:"tenantId"`
	ClientID     string `yaml:"client_id,required" json:"clientId"`
	Certificate  string `yaml:"certificate,required" json:"certificate"`
	Thumbprint   string `yaml:"thumbprint,required" json:"thumbprint"`
	AuthorityURL string `yaml:"authority_url" json:"authorityUrl,default=https://login.microsoftonline.com"`
	ResourceURL  string `yaml:"resource_url" json:"resourceUrl"`
}

var (
	accountKeyLayout       = wire.Layout{At: wire.Table{"account_key": "secrets/key"}, REST: wire.Fixed{"secrets/secretsType": "AccountKey"}}
	sasLayout              = wire.Layout{At: wire.Table{"sas_token": "secrets/sasToken"}, REST: wire.Fixed{"secrets/secretsType": "Sas"}}
	servicePrincipalLayout = wire.Layout{At: wire.Table{"client_secret": "secrets/clientSecret"}, REST: wire.Fixed{"secrets/secretsType": "ServicePrincipal"}}
	certificateLayout      = wire.Layout{At: wire.Table{"certificate": "secrets/certificate"}, REST: wire.Fixed{"secrets/secretsType": "Certificate"}}
)

// WireLayout says where REST nests differently.
func (AccountKey) WireLayout() *wire.Layout { return &accountKeyLayout }

// WireLayout says where REST nests differently.
func (SAS) WireLayout() *wire.Layout { return &sasLayout }

// WireLayout says where REST nests differently.
func (ServicePrincipal) WireLayout() *wire.Layout { return &servicePrincipalLayout }

// WireLayout says where REST nests differently.
func (Certificate) WireLayout() *wire.Layout { return &certificateLayout }

// String keeps the secret out of what is printed.
func (AccountKey) String() string { return "account key (redacted)" }

// GoString keeps the secret out of what is printed.
func (k AccountKey) GoString() string { return k.String() }

// String keeps the secret out of what is printed.
func (SAS) String() string { return "shared access signature (redacted)" }

// GoString keeps the secret out of what is printed.
func (s SAS) GoString() string { return s.String() }

// String keeps the secret out of what is printed.
func (p ServicePrincipal) String() string { return "service principal " + p.ClientID + " (redacted)" }

// GoString keeps the secret out of what is printed.
func (p ServicePrincipal) GoString() string { return p.String() }

// String keeps the secret out of what is printed.
func (c Certificate) String() string { return "certificate " + c.Thumbprint + " (redacted)" }

// GoString keeps the secret out of what is printed.
func (c Certificate) GoString() string { return c.String() }

// ofContainer says whether the token is a signature of one resource, a container mostly, and not of the account.
func (s *SAS) ofContainer() bool {
	v, err := url.ParseQuery(strings.TrimPrefix(s.Token, "?"))
	return err == nil && v.Get("sr") != ""
}
