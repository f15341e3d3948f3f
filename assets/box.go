package assets

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/share"

	"github.com/azureml-go/azureml/internal/rest"
)

// The cloud's storage suffix when a datastore names none.
const publicStorage = "core.windows.net"

// storageSuffixes are where the caller's own token for storage may go. A datastore is a document that others may write:
// its endpoint alone does not make a host worth a token.
var storageSuffixes = []string{publicStorage, "core.chinacloudapi.cn", "core.usgovcloudapi.net", "core.cloudapi.de", "storage.azure.net"}

// A box is a blob container or file share that bytes go to or come from, with a client that may do so.
type box struct {
	volume
	// client is that of a blob container, else nil.
	client *container.Client
	// name is the container's. address is its URL, without a query.
	name, address string
	// lake is set when the container is a file system of a Data Lake: uploads are confirmed on their folder there.
	lake bool
}

func blobBox(client *container.Client, name, address string) *box {
	return &box{volume: &blobVolume{client}, client: client, name: name, address: address}
}

// sasURI is the address of a container with a signature.
type sasURI struct {
	address   *url.URL // without the query
	container string
	query     string
}

// parseSAS reads the address of a container that carries a signature. Over plain http only a loopback address is taken.
func parseSAS(uri string) (*sasURI, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, errors.New("the address of the upload is none") // the cause would show the signature
	}
	switch {
	case u.Host == "" || u.Opaque != "":
		return nil, errors.New("the address of the upload has no host")
	case u.User != nil:
		return nil, fmt.Errorf("the address of the upload at %s carries a user name", u.Host)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Host)):
		return nil, fmt.Errorf("the address of the upload at %s is not https", u.Host)
	case u.Query().Get("sig") == "":
		return nil, fmt.Errorf("the address of the upload at %s carries no signature", u.Host)
	}
	segs := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	name, err := url.PathUnescape(segs[len(segs)-1])
	if err != nil || name == "" {
		return nil, fmt.Errorf("the address of the upload at %s names no container", u.Host)
	}
	plain := *u
	plain.RawQuery, plain.ForceQuery, plain.Fragment, plain.RawFragment = "", false, "", ""
	plain.Path = strings.TrimRight(plain.Path, "/")
	plain.RawPath = strings.TrimRight(plain.RawPath, "/")
	return &sasURI{address: &plain, container: name, query: u.RawQuery}, nil
}

// openSAS opens the container of a signed address. renew asks for a fresh one when the signature ends.
func openSAS(c *rest.Client, uri string, renew func(context.Context) (string, error)) (*box, error) {
	s, err := parseSAS(uri)
	if err != nil {
		return nil, err
	}
	sig := newSignature(s.query, c.Clock().Now, nil)
	if renew != nil {
		sig.renew = func(ctx context.Context) (string, error) {
			uri, err := renew(ctx)
			if err != nil {
				return "", err
			}
			fresh, err := parseSAS(uri)
			if err != nil {
				return "", err
			}
			if fresh.address.String() != s.address.String() {
				return "", fmt.Errorf("a fresh signature was asked for %s, and one for %s came", s.address, fresh.address)
			}
			return fresh.query, nil
		}
	}
	client, err := container.NewClientWithNoCredential(s.address.String(), containerOptions(c, false, sig))
	if err != nil {
		return nil, err
	}
	return blobBox(client, s.container, s.address.String()), nil
}

// access is how a storage account is reached: a signature, a key, or with neither the caller's token.
type access struct {
	sas, key string
	// renew asks for a fresh signature.
	renew func(context.Context) (string, error)
}

// openContainer opens a container of a storage account. endpoint is the suffix of the account's host, or a loopback address,
// which is addressed path style, as Azurite is.
func openContainer(c *rest.Client, protocol, account, endpoint, name string, a access) (*box, error) {
	if endpoint == "" {
		endpoint = publicStorage
	}
	address, err := storageURL(protocol, account, "blob", endpoint, name)
	if err != nil {
		return nil, err
	}
	var client *container.Client
	switch {
	case a.sas != "":
		client, err = container.NewClientWithNoCredential(address, containerOptions(c, false, newSignature(a.sas, c.Clock().Now, a.renew)))
	case a.key != "":
		var cred *container.SharedKeyCredential
		if cred, err = container.NewSharedKeyCredential(account, a.key); err == nil {
			client, err = container.NewClientWithSharedKeyCredential(address, cred, containerOptions(c, false, nil))
		}
	default:
		client, err = openAsCaller(c, address, endpoint)
	}
	if err != nil {
		return nil, err
	}
	return blobBox(client, name, address), nil
}

// openShare opens a share of Azure Files.
func openShare(c *rest.Client, protocol, account, endpoint, name string, a access) (*box, error) {
	if endpoint == "" {
		endpoint = publicStorage
	}
	address, err := storageURL(protocol, account, "file", endpoint, name)
	if err != nil {
		return nil, err
	}
	o := &share.ClientOptions{ClientOptions: storageOptions(c, nil)}
	var client *share.Client
	switch {
	case a.sas != "":
		o.ClientOptions = storageOptions(c, newSignature(a.sas, c.Clock().Now, a.renew))
		client, err = share.NewClientWithNoCredential(address, o)
	case a.key != "":
		var cred *share.SharedKeyCredential
		if cred, err = share.NewSharedKeyCredential(account, a.key); err == nil {
			client, err = share.NewClientWithSharedKeyCredential(address, cred, o)
		}
	default:
		var cred azcore.TokenCredential
		if cred, o.InsecureAllowCredentialWithHTTP, err = callerFor(c, endpoint); err == nil {
			o.FileRequestIntent = to.Ptr(share.TokenIntentBackup) // tokens are taken with it only
			if cred == nil {
				client, err = share.NewClientWithNoCredential(address, o)
			} else {
				client, err = share.NewClient(address, cred, o)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return &box{volume: &shareVolume{client: client, made: map[string]chan struct{}{}}, name: name, address: address}, nil
}

func openAsCaller(c *rest.Client, address, endpoint string) (*container.Client, error) {
	cred, http, err := callerFor(c, endpoint)
	if err != nil {
		return nil, err
	}
	if cred == nil { // a local workspace that asks for no token
		return container.NewClientWithNoCredential(address, containerOptions(c, false, nil))
	}
	return container.NewClient(address, cred, containerOptions(c, http, nil))
}

// callerFor gives the caller's credential for a storage endpoint that may have it, and whether plain http is fine.
func callerFor(c *rest.Client, endpoint string) (cred azcore.TokenCredential, http bool, err error) {
	cred = c.Credential()
	if cred == nil {
		return nil, false, nil
	}
	if loopback(endpoint) {
		if !c.Local() || !rest.IsStatic(cred) {
			return nil, false, fmt.Errorf("the caller's token is not sent to %s, which is a loopback address: give the datastore a key or a signature", endpoint)
		}
		return cred, true, nil
	}
	for _, s := range storageSuffixes {
		if strings.EqualFold(endpoint, s) || strings.HasSuffix(strings.ToLower(endpoint), "."+s) {
			return cred, false, nil
		}
	}
	return nil, false, fmt.Errorf("the caller's token is not sent to %s, which is no storage endpoint of Azure: give the datastore a key or a signature", endpoint)
}

func containerOptions(c *rest.Client, http bool, sig *signature) *container.ClientOptions {
	o := &container.ClientOptions{ClientOptions: storageOptions(c, sig)}
	o.InsecureAllowCredentialWithHTTP = http
	return o
}

// storageOptions puts the signature on before the policy that keeps tokens off signed addresses.
func storageOptions(c *rest.Client, sig *signature) azcore.ClientOptions {
	o := c.StorageOptions()
	if sig != nil {
		o.PerRetryPolicies = slices.Insert(slices.Clone(o.PerRetryPolicies), len(o.PerRetryPolicies)-1, policy.Policy(sig))
	}
	return o
}

// storageURL is https://ACCOUNT.SERVICE.SUFFIX/CONTAINER, or path style at a loopback address, where requests tell the services
// apart.
func storageURL(protocol, account, service, endpoint, name string) (string, error) {
	for what, s := range map[string]string{"account": account, "container": name} {
		if s == "" || strings.ContainsAny(s, "/\\?#@: ") {
			return "", fmt.Errorf("%q is no name of a storage %s", s, what)
		}
	}
	if loopback(endpoint) {
		if protocol != "https" {
			protocol = "http"
		}
		return fmt.Sprintf("%s://%s/%s/%s", protocol, endpoint, account, name), nil
	}
	if strings.ContainsAny(endpoint, "/\\?#@: ") {
		return "", fmt.Errorf("%q is no storage endpoint: it is the suffix of a host, such as %s, or a loopback address", endpoint, publicStorage)
	}
	return fmt.Sprintf("https://%s.%s.%s/%s", account, service, endpoint, name), nil
}

// loopback reports whether host (with or without a port) is a literal loopback address. localhost is not: what it resolves
// to is not ours to know.
func loopback(host string) bool {
	u := url.URL{Host: host}
	a, err := netip.ParseAddr(u.Hostname())
	return err == nil && a.Zone() == "" && a.Unmap().IsLoopback()
}

// blobURL is the address of a path in the container, unescaped, as the reference writes it into documents.
func (b *box) blobURL(path string) string { return b.address + "/" + path }

func status(err error) int {
	if re, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return re.StatusCode
	}
	return 0
}

// metadata finds a value without regard to case: net/http changes the case of header names.
func metadata(m map[string]*string, key string) string {
	for k, v := range m {
		if strings.EqualFold(k, key) && v != nil {
			return *v
		}
	}
	return ""
}

// blobError is an answer of a storage account, in one line.
type blobError struct{ err *azcore.ResponseError }

func (e *blobError) Unwrap() error { return e.err }

func (e *blobError) Error() string {
	code := e.err.ErrorCode
	text := fmt.Sprintf("storage answered %d %s", e.err.StatusCode, code)
	switch bloberror.Code(code) {
	case bloberror.AuthorizationPermissionMismatch:
		text += ": the caller needs the roles Storage Blob Data Reader and Storage Blob Data Contributor on the account"
	case "KeyBasedAuthenticationNotPermitted":
		text += ": the account allows no access by key, and the datastore's signature is made from one; use a datastore without credentials"
	case bloberror.AuthenticationFailed:
		text += ": the signature or token was refused: it may have expired, or this machine's clock may be wrong"
	case bloberror.AuthorizationFailure:
		text += ": the account's firewall may keep this machine out, or the signature may have expired"
	case bloberror.ContainerNotFound:
		text += ": the container does not exist"
	}
	return text
}

// storageError puts an error of the blob client into one line.
func storageError(err error) error {
	if re, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return &blobError{re}
	}
	return err
}
