package blob

import "net/http"

// level is what an address names.
type level int

const (
	serviceLevel level = iota
	containerLevel
	blobLevel
)

// route is what tells operations apart, besides headers.
type route struct {
	level         level
	method        string
	restype, comp string
}

// operation is one operation of the protocol.
type operation struct {
	name string
	// need are the permissions of a signature one of which is enough. With "c" and
	// not "w" only what is not there may be written.
	need string
	// account is set for operations that only an account's signature permits.
	account bool
	// kind is the resource type of an account's signature: s, c or o.
	kind  byte
	serve func(q *request) error // nil: refused by name
}

// operations is every operation that clients may ask for. Those without a function
// are Azure's and not the local workspace's.
var operations = map[route]operation{
	{serviceLevel, http.MethodGet, "", "list"}:                      {"List Containers", "l", true, 's', listContainers},
	{serviceLevel, http.MethodGet, "service", "properties"}:         {"Get Blob Service Properties", "r", true, 's', serviceProperties},
	{serviceLevel, http.MethodPut, "service", "properties"}:         {"Set Blob Service Properties", "w", true, 's', nil},
	{serviceLevel, http.MethodGet, "service", "stats"}:              {"Get Blob Service Stats", "r", true, 's', nil},
	{serviceLevel, http.MethodPost, "service", "userdelegationkey"}: {"Get User Delegation Key", "", true, 's', userDelegationKey},
	{serviceLevel, http.MethodGet, "account", "properties"}:         {"Get Account Information", "rwdlacup", true, 's', accountInformation},
	{serviceLevel, http.MethodHead, "account", "properties"}:        {"Get Account Information", "rwdlacup", true, 's', accountInformation},
	{serviceLevel, http.MethodPost, "", "batch"}:                    {"Blob Batch", "d", true, 's', nil},
	{serviceLevel, http.MethodGet, "", "blobs"}:                     {"Find Blobs by Tags", "f", true, 's', nil},
	{containerLevel, http.MethodPut, "container", ""}:               {"Create Container", "cw", true, 'c', putContainer},
	{containerLevel, http.MethodGet, "container", ""}:               {"Get Container Properties", "r", true, 'c', getContainer},
	{containerLevel, http.MethodHead, "container", ""}:              {"Get Container Properties", "r", true, 'c', getContainer},
	{containerLevel, http.MethodDelete, "container", ""}:            {"Delete Container", "d", true, 'c', removeContainer},
	{containerLevel, http.MethodGet, "container", "metadata"}:       {"Get Container Metadata", "r", true, 'c', getContainer},
	{containerLevel, http.MethodHead, "container", "metadata"}:      {"Get Container Metadata", "r", true, 'c', getContainer},
	{containerLevel, http.MethodPut, "container", "metadata"}:       {"Set Container Metadata", "w", true, 'c', setContainerMetadata},
	{containerLevel, http.MethodGet, "container", "acl"}:            {"Get Container ACL", "", true, 'c', containerACL},
	{containerLevel, http.MethodHead, "container", "acl"}:           {"Get Container ACL", "", true, 'c', containerACL},
	{containerLevel, http.MethodPut, "container", "acl"}:            {"Set Container ACL", "", true, 'c', nil},
	{containerLevel, http.MethodPut, "container", "lease"}:          {"Lease Container", "dw", true, 'c', nil},
	{containerLevel, http.MethodPut, "container", "undelete"}:       {"Restore Container", "w", true, 'c', nil},
	{containerLevel, http.MethodPut, "container", "rename"}:         {"Rename Container", "w", true, 'c', nil},
	{containerLevel, http.MethodGet, "container", "list"}:           {"List Blobs", "l", false, 'c', listBlobs},
	{containerLevel, http.MethodGet, "container", "blobs"}:          {"Find Blobs by Tags in Container", "f", false, 'c', nil},
	{containerLevel, http.MethodPost, "container", "batch"}:         {"Blob Batch", "d", false, 'c', nil},
	{containerLevel, http.MethodGet, "account", "properties"}:       {"Get Account Information", "rwdlacxtfup", false, 'c', accountInformation},
	{containerLevel, http.MethodHead, "account", "properties"}:      {"Get Account Information", "rwdlacxtfup", false, 'c', accountInformation},
	{blobLevel, http.MethodPut, "", ""}:                             {"Put Blob", "wc", false, 'o', putBlob},
	{blobLevel, http.MethodGet, "", ""}:                             {"Get Blob", "r", false, 'o', getBlob},
	{blobLevel, http.MethodHead, "", ""}:                            {"Get Blob Properties", "r", false, 'o', getBlob},
	{blobLevel, http.MethodDelete, "", ""}:                          {"Delete Blob", "d", false, 'o', deleteBlob},
	{blobLevel, http.MethodGet, "", "metadata"}:                     {"Get Blob Metadata", "r", false, 'o', getBlobMetadata},
	{blobLevel, http.MethodHead, "", "metadata"}:                    {"Get Blob Metadata", "r", false, 'o', getBlobMetadata},
	{blobLevel, http.MethodPut, "", "metadata"}:                     {"Set Blob Metadata", "w", false, 'o', setBlobMetadata},
	{blobLevel, http.MethodPut, "", "properties"}:                   {"Set Blob Properties", "w", false, 'o', setBlobProperties},
	{blobLevel, http.MethodPut, "", "tier"}:                         {"Set Blob Tier", "w", false, 'o', setBlobTier},
	{blobLevel, http.MethodPut, "", "block"}:                        {"Put Block", "wc", false, 'o', putBlock},
	{blobLevel, http.MethodPut, "", "blocklist"}:                    {"Put Block List", "wc", false, 'o', putBlockList},
	{blobLevel, http.MethodGet, "", "blocklist"}:                    {"Get Block List", "r", false, 'o', getBlockList},
	{blobLevel, http.MethodPut, "", "appendblock"}:                  {"Append Block", "aw", false, 'o', putAppendBlock},
	{blobLevel, http.MethodPut, "", "copy"}:                         {"Abort Copy Blob", "w", false, 'o', abortCopy},
	{blobLevel, http.MethodPut, "", "page"}:                         {"Put Page", "w", false, 'o', nil},
	{blobLevel, http.MethodGet, "", "pagelist"}:                     {"Get Page Ranges", "r", false, 'o', nil},
	{blobLevel, http.MethodPut, "", "incrementalcopy"}:              {"Incremental Copy Blob", "w", false, 'o', nil},
	{blobLevel, http.MethodPut, "", "snapshot"}:                     {"Snapshot Blob", "wc", false, 'o', nil},
	{blobLevel, http.MethodPut, "", "lease"}:                        {"Lease Blob", "dw", false, 'o', nil},
	{blobLevel, http.MethodPut, "", "undelete"}:                     {"Undelete Blob", "w", false, 'o', nil},
	{blobLevel, http.MethodPut, "", "expiry"}:                       {"Set Blob Expiry", "w", false, 'o', nil},
	{blobLevel, http.MethodPut, "", "seal"}:                         {"Append Blob Seal", "w", false, 'o', nil},
	{blobLevel, http.MethodGet, "", "tags"}:                         {"Get Blob Tags", "t", false, 'o', nil},
	{blobLevel, http.MethodPut, "", "tags"}:                         {"Set Blob Tags", "t", false, 'o', nil},
	{blobLevel, http.MethodPost, "", "query"}:                       {"Query Blob Contents", "r", false, 'o', nil},
	{blobLevel, http.MethodPut, "", "immutabilityPolicies"}:         {"Set Blob Immutability Policy", "i", false, 'o', nil},
	{blobLevel, http.MethodDelete, "", "immutabilityPolicies"}:      {"Delete Blob Immutability Policy", "i", false, 'o', nil},
	{blobLevel, http.MethodPut, "", "legalhold"}:                    {"Set Blob Legal Hold", "i", false, 'o', nil},
	{blobLevel, http.MethodGet, "account", "properties"}:            {"Get Account Information", "rwdlacxtfup", false, 'o', accountInformation},
	{blobLevel, http.MethodHead, "account", "properties"}:           {"Get Account Information", "rwdlacxtfup", false, 'o', accountInformation},
}

// unsupportedHeaders ask for what is not there, where ignoring them would do
// something else than was asked for.
var unsupportedHeaders = map[string]string{
	"X-Ms-Encryption-Key":                 "Customer-provided encryption",
	"X-Ms-Encryption-Scope":               "Encryption scopes",
	"X-Ms-Source-Encryption-Key":          "Customer-provided encryption",
	"X-Ms-Tags":                           "Blob tags",
	"X-Ms-If-Tags":                        "Conditions on blob tags",
	"X-Ms-Source-If-Tags":                 "Conditions on blob tags",
	"X-Ms-Immutability-Policy-Until-Date": "Immutability policies",
	"X-Ms-Legal-Hold":                     "Legal hold",
	"X-Ms-Expiry-Time":                    "Blob expiry",
	"X-Ms-Seal-Blob":                      "Sealing append blobs",
}
