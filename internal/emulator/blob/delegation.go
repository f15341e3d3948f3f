package blob

import (
	"encoding/xml"
	"io"
	"net/http"
	"strings"
)

// delegationOwner is the object and tenant id of the local workspace's one user.
const delegationOwner = "00000000-0000-0000-0000-000000000000"

// delegationVersion is the signed version of keys.
const delegationVersion = "2022-11-02"

// delegationKey derives a user delegation key from its terms, so that none need be
// kept.
func delegationKey(key, oid, tid, start, expiry, service, version string) string {
	return sign(key, strings.Join([]string{"user delegation key", oid, tid, start, expiry, service, version}, "\n"))
}

// userDelegationKey serves Get User Delegation Key.
func userDelegationKey(q *request) error {
	if !trusted(q.Context()) { // as in Azure, keys and signatures do not get one
		return errUnauthorized
	}
	var info struct {
		XMLName xml.Name `xml:"KeyInfo"`
		Start   string
		Expiry  string
	}
	if err := xml.NewDecoder(http.MaxBytesReader(q.w, q.Body, 64<<10)).Decode(&info); err != nil {
		return errXML
	}
	now := q.s.now()
	start, expiry := now, now
	var err error
	if info.Start != "" {
		if start, err = parseSASTime(info.Start); err != nil {
			return fault(400, "InvalidXmlNodeValue", "The value for one of the XML nodes is not in the correct format: Start.")
		}
	}
	if expiry, err = parseSASTime(info.Expiry); err != nil || !expiry.After(now) || !expiry.After(start) {
		return fault(400, "InvalidXmlNodeValue", "The value for one of the XML nodes is not in the correct format: Expiry.")
	}
	key, err := q.s.Key(q.Context(), q.account)
	if err != nil {
		return err
	}
	from, to := start.UTC().Format(sasTime), expiry.UTC().Format(sasTime)
	var b strings.Builder
	b.WriteString(xmlHeader + "<UserDelegationKey>")
	element(&b, "SignedOid", delegationOwner)
	element(&b, "SignedTid", delegationOwner)
	element(&b, "SignedStart", from)
	element(&b, "SignedExpiry", to)
	element(&b, "SignedService", "b")
	element(&b, "SignedVersion", delegationVersion)
	element(&b, "Value", delegationKey(key, delegationOwner, delegationOwner, from, to, "b", delegationVersion))
	b.WriteString("</UserDelegationKey>")
	return q.xml(b.String())
}

// delegated checks a signature under a user delegation key. Which fields are signed
// grew with the versions; the forms are tried in turn.
func (s *Service) delegated(key string, v query, resource string) bool {
	get := v.get
	secret := delegationKey(key, get("skoid"), get("sktid"), get("skt"), get("ske"), get("sks"), get("skv"))
	expiry, err := parseSASTime(get("ske"))
	if err != nil || !s.now().Before(expiry) {
		return false
	}
	head := []string{get("sp"), get("st"), get("se"), resource, get("skoid"), get("sktid"), get("skt"), get("ske"), get("sks"), get("skv")}
	agents := []string{get("saoid"), get("suoid"), get("scid")}
	delegate := []string{get("skdutid"), get("sduoid")}
	middle := []string{get("sip"), get("spr"), get("sv"), get("sr"), get("snapshot")}
	scope := []string{get("ses")}
	required := []string{get("srh"), get("srq")}
	tail := []string{get("rscc"), get("rscd"), get("rsce"), get("rscl"), get("rsct")}
	for _, form := range [][][]string{
		{head, agents, delegate, middle, scope, required, tail},
		{head, agents, delegate, middle, scope, tail},
		{head, agents, middle, scope, tail},
		{head, agents, middle, tail},
		{head, middle, tail},
	} {
		var fields []string
		for _, part := range form {
			fields = append(fields, part...)
		}
		if equal(get("sig"), sign(secret, strings.Join(fields, "\n"))) {
			return true
		}
	}
	return false
}

// xmlHeader begins every answer in XML.
const xmlHeader = `<?xml version="1.0" encoding="utf-8"?>`

// xml answers with a document.
func (q *request) xml(body string) error {
	return q.xmlStatus(http.StatusOK, body)
}

func (q *request) xmlStatus(status int, body string) error {
	h := q.w.Header()
	h.Set("Content-Type", "application/xml")
	if q.Method == http.MethodHead {
		q.empty(status)
		return nil
	}
	q.w.WriteHeader(status)
	// A client that went away is told nothing.
	_, _ = io.WriteString(q.w, body)
	return nil
}
