package emulator

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/serving"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// endpointKeys are an endpoint's two keys. They are kept beside its document, which is shown.
type endpointKeys struct {
	PrimaryKey   string `json:"primaryKey"`
	SecondaryKey string `json:"secondaryKey"`
}

func keysAt(endpoint string) string { return endpoint + "/secrets/keys" }

func (s *Server) newKey() (string, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func readKeys(tx *sql.Tx, endpoint string) (*endpointKeys, error) {
	sd, err := store.Get(tx, keysAt(endpoint))
	if err != nil {
		return nil, err
	}
	k := &endpointKeys{}
	return k, json.Unmarshal(sd.Body, k)
}

// putKeys makes an endpoint's keys on its first PUT. Given ones are taken.
func putKeys(tx *sql.Tx, endpoint string, given map[string]any, fresh func() (string, error)) error {
	k, err := readKeys(tx, endpoint)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if k != nil && given == nil {
		return nil
	}
	if k == nil {
		k = &endpointKeys{}
	}
	for name, p := range map[string]*string{"primaryKey": &k.PrimaryKey, "secondaryKey": &k.SecondaryKey} {
		if g, ok := given[name].(string); ok && g != "" {
			*p = g
		}
		if *p == "" {
			if *p, err = fresh(); err != nil {
				return err
			}
		}
	}
	return storeKeys(tx, endpoint, k)
}

func storeKeys(tx *sql.Tx, endpoint string, k *endpointKeys) error {
	b, err := json.Marshal(k)
	if err != nil {
		return err
	}
	_, err = store.Put(tx, &store.Document{ID: keysAt(endpoint), Type: "endpointKeys", Body: b})
	return err
}

func (s *Server) keysOf(ctx context.Context, endpoint string) (*endpointKeys, error) {
	var k *endpointKeys
	err := s.db.View(ctx, func(tx *sql.Tx) (err error) {
		k, err = readKeys(tx, endpoint)
		return err
	})
	return k, err
}

// endpointInPath is the endpoint that an action's path names, with its document.
func endpointInPath(c *call, word string) (arm.ID, document, error) {
	id, err := versionInPath(c)
	if err != nil {
		return id, nil, err
	}
	d, err := c.find(id.String(), word, id.Name())
	return id, d, err
}

func onlineKeys(c *call) error {
	id, d, err := endpointInPath(c, "online endpoint")
	if err != nil {
		return err
	}
	if m := d.text("properties", "authMode"); m != "Key" {
		return arm.BadRequest("UserError", "The endpoint %s has no keys: its authentication mode is %s.", id.Name(), m)
	}
	return replyKeys(c, id)
}

func replyKeys(c *call, id arm.ID) error {
	k, err := c.s.keysOf(c.ctx(), id.String())
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, k)
}

// regenerate makes one key anew. A keyValue that is not the present key is taken as the new one; azure-ai-ml sends the present one.
func regenerate(c *call) error {
	body, err := c.document()
	if err != nil {
		return err
	}
	which, err := body.oneOf("keyType", "Primary", "Secondary")
	if err != nil {
		return err
	}
	id, d, err := endpointInPath(c, "endpoint")
	if err != nil {
		return err
	}
	if m := d.text("properties", "authMode"); m != "" && m != "Key" {
		return arm.BadRequest("UserError", "The endpoint %s has no keys: its authentication mode is %s.", id.Name(), m)
	}
	fresh, err := c.s.newKey()
	if err != nil {
		return err
	}
	var k *endpointKeys
	if err := c.s.db.Update(c.ctx(), func(tx *sql.Tx) error {
		if k, err = readKeys(tx, id.String()); err != nil {
			return err
		}
		p := &k.PrimaryKey
		if which == "Secondary" {
			p = &k.SecondaryKey
		}
		if v := body.text("keyValue"); v != "" && v != *p {
			fresh = v
		}
		*p = fresh
		return storeKeys(tx, id.String(), k)
	}); err != nil {
		return err
	}
	return c.action(k)
}

// tokenTime is how long a scoring token is good.
const tokenTime = 12 * time.Hour

// scoringToken gives a token that the endpoint's primary key has signed, so that it survives a restart and ends when the key is made anew.
func scoringToken(c *call) error {
	id, d, err := endpointInPath(c, "online endpoint")
	if err != nil {
		return err
	}
	if m := d.text("properties", "authMode"); m != "AMLToken" {
		return arm.BadRequest("UserError", "The endpoint %s gives no tokens: its authentication mode is %s.", id.Name(), m)
	}
	k, err := c.s.keysOf(c.ctx(), id.String())
	if err != nil {
		return err
	}
	ends := c.now.Add(tokenTime).Unix()
	return c.reply(http.StatusOK, document{
		"accessToken": signToken(k.PrimaryKey, ends), "expiryTimeUtc": ends, "refreshAfterTimeUtc": c.now.Add(tokenTime * 3 / 4).Unix(), "tokenType": "Bearer",
	})
}

func signToken(key string, ends int64) string {
	text := strconv.FormatInt(ends, 10)
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte("scoring " + text))
	return text + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func goodToken(key, token string, now time.Time) bool {
	text, _, _ := strings.Cut(token, ".")
	ends, err := strconv.ParseInt(text, 10, 64)
	return err == nil && subtle.ConstantTimeCompare([]byte(signToken(key, ends)), []byte(token)) == 1 && now.Unix() < ends
}

// scoring tells the host of deployments how an endpoint is reached.
func (s *Server) scoring(ctx context.Context, sc arm.Scope, endpoint string) (*serving.Endpoint, error) {
	id := sc.Child(arm.OnlineEndpoints, endpoint)
	d, err := s.get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, arm.NotFound("online endpoint", endpoint)
	}
	if err != nil {
		return nil, err
	}
	k, err := s.keysOf(ctx, id)
	if err != nil {
		return nil, err
	}
	e := &serving.Endpoint{Traffic: percents(d.object("properties", "traffic")), Mirror: percents(d.object("properties", "mirrorTraffic"))}
	mode := d.text("properties", "authMode")
	e.Authorize = func(credential string) bool {
		switch mode {
		case "Key":
			a := subtle.ConstantTimeCompare([]byte(credential), []byte(k.PrimaryKey))
			b := subtle.ConstantTimeCompare([]byte(credential), []byte(k.SecondaryKey))
			return a|b == 1
		case "AMLToken":
			return goodToken(k.PrimaryKey, credential, s.opts.Clock())
		}
		who, err := s.keys.who(credential)
		return err == nil && who.full
	}
	return e, nil
}

func percents(m map[string]any) map[string]int {
	out := map[string]int{}
	for k, v := range m {
		out[k] = intOf(v)
	}
	return out
}

// Endpoint names are unique over all workspaces: they are part of scoring addresses.

func (s *Server) endpoint(name string) (arm.Scope, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sc, ok := s.endpoints[strings.ToLower(name)]
	return sc, ok
}

func (s *Server) addEndpoint(name string, sc arm.Scope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoints[strings.ToLower(name)] = sc
}

func (s *Server) dropEndpoint(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.endpoints, strings.ToLower(name))
}

// serveScoring passes a request on to the endpoint that begins its path.
func (s *Server) serveScoring(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	sc, ok := s.endpoint(name)
	if !ok {
		s.refuse(w, r, arm.NotFound("endpoint", name))
		return
	}
	inner := place{path: orSlash(cutSegment(r.URL.Path)), rawPath: cutSegment(r.URL.RawPath)}.to(r)
	if _, err := s.get(r.Context(), sc.Child(arm.BatchEndpoints, name)); err == nil {
		s.invokeBatch(w, inner, sc, name)
		return
	}
	s.online.ServeScore(w, inner, sc, name)
}
