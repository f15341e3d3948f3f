package blob

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// SASOptions are what a shared access signature permits.
type SASOptions struct {
	// Permissions are letters such as "r", "rl", "racwdl". Defaults to "r".
	Permissions string
	// Expiry defaults to an hour from now.
	Expiry time.Time
	// Directory makes the signature one for all blobs below the name.
	Directory bool
	// Share makes the signature one of Azure Files, for the whole share.
	Share bool
}

// sasVersion is the version of the signatures made here.
const sasVersion = "2022-11-02"

// sasTime is the form of times in signatures.
const sasTime = "2006-01-02T15:04:05Z"

// permissionOrder is the order in which Azure wants permissions.
const permissionOrder = "racwdxyltfmeopi"

// SAS signs access to a blob, or to the whole container when name is empty. The
// query has no leading question mark. Errors: store.ErrNotFound when the account
// is not there.
func (s *Service) SAS(account, container, name string, o SASOptions) (query string, err error) {
	key, err := s.Key(context.Background(), account)
	if err != nil {
		return "", err
	}
	permissions := o.Permissions
	if permissions == "" {
		permissions = "r"
	}
	var ordered strings.Builder
	for _, p := range permissionOrder {
		if strings.ContainsRune(permissions, p) {
			ordered.WriteRune(p)
		}
	}
	if ordered.Len() != len(permissions) {
		return "", fmt.Errorf("blob: SAS for %q: permissions %q: each of the letters %q, once", account+"/"+container+"/"+name, permissions, permissionOrder)
	}
	expiry := o.Expiry
	if expiry.IsZero() {
		expiry = s.now().Add(time.Hour)
	}
	v := url.Values{}
	v.Set("sv", sasVersion)
	v.Set("spr", "https,http")
	v.Set("se", expiry.UTC().Format(sasTime))
	v.Set("sp", ordered.String())
	resource, signed := "c", canonicalName(account, container, name)
	switch {
	case o.Share:
		resource, signed = "s", "/file/"+account+"/"+container
	case o.Directory:
		name = strings.Trim(name, "/")
		resource = "d"
		depth := 0
		if name != "" {
			depth = strings.Count(name, "/") + 1
		}
		v.Set("sdd", strconv.Itoa(depth))
		signed = canonicalName(account, container, name)
	case name != "":
		resource = "b"
	}
	v.Set("sr", resource)
	v.Set("sig", sign(key, serviceText(v.Get, signed)))
	// Some clients split the query by themselves, and none of them wants a plus.
	return strings.ReplaceAll(v.Encode(), "+", "%20"), nil
}

// canonicalName is the resource in what a service SAS signs.
func canonicalName(account, container, name string) string {
	n := "/blob/" + account + "/" + container
	if name != "" {
		n += "/" + name
	}
	return n
}

// sign is HMAC-SHA256 under a base64 key, in base64.
func sign(key, text string) string {
	secret, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		// Keys are made here. One that is not base64 signs nothing that anybody has.
		secret = []byte(key)
	}
	h := hmac.New(sha256.New, secret)
	_, _ = h.Write([]byte(text)) // a hash does not fail
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// serviceText is what a service SAS signs, in the form of its version. get gives
// the query's parameters.
func serviceText(get func(string) string, resource string) string {
	version := get("sv")
	fields := []string{get("sp"), get("st"), get("se"), resource, get("si"), get("sip"), get("spr"), version}
	if r := get("sr"); r == "s" || r == "f" { // Azure Files signs less
		version = ""
	}
	if version >= "2018-11-09" {
		fields = append(fields, get("sr"), get("snapshot"))
	}
	if version >= "2020-12-06" {
		fields = append(fields, get("ses"))
	}
	return strings.Join(append(fields, get("rscc"), get("rscd"), get("rsce"), get("rscl"), get("rsct")), "\n")
}

// accountText is what an account SAS signs.
func accountText(get func(string) string, account string) string {
	fields := []string{account, get("sp"), get("ss"), get("srt"), get("st"), get("se"), get("sip"), get("spr"), get("sv")}
	if get("sv") >= "2020-12-06" {
		fields = append(fields, get("ses"))
	}
	return strings.Join(fields, "\n") + "\n"
}
