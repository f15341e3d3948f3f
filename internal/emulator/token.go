package emulator

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// audience is the one that azure-ai-ml checks before it submits a pipeline.
const audience = "https://ml.azure.com"

// tokenFile is in the server's folder, readable by its owner alone.
const tokenFile = "token"

// mint writes a token in the form of a JWT. Its signature is made with a key that is thrown away: tokens are recognised whole, by comparison.
func mint(claims map[string]any) (string, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return "", fmt.Errorf("emulator: token: %w", err)
	}
	head, err := json.Marshal(map[string]string{"alg": "HS256", "typ": "JWT"})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	b := base64.RawURLEncoding
	text := b.EncodeToString(head) + "." + b.EncodeToString(body)
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return text + "." + b.EncodeToString(m.Sum(nil)), nil
}

func claims(now, expires time.Time) map[string]any {
	return map[string]any{
		"aud": audience, "iss": "https://sts.windows.net/" + arm.Tenant + "/", "iat": now.Unix(), "nbf": now.Unix(), "exp": expires.Unix(),
		"tid": arm.Tenant, "oid": arm.User, "sub": arm.User, "name": "local", "upn": "local@localhost", "ver": "1.0",
	}
}

// loadToken reads the folder's token, or makes one on first use.
func loadToken(dir string, now time.Time) (string, error) {
	path := filepath.Join(dir, tokenFile)
	b, err := os.ReadFile(path)
	if err == nil {
		if t := strings.TrimSpace(string(b)); strings.Count(t, ".") == 2 {
			return t, nil
		}
		return "", fmt.Errorf("emulator: the token file %s is damaged; remove it to have a new one", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("emulator: token: %w", err)
	}
	t, err := mint(claims(now, now.AddDate(10, 0, 0)))
	if err != nil {
		return "", err
	}
	next := path + ".new"
	if err := os.WriteFile(next, []byte(t+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("emulator: token: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return "", fmt.Errorf("emulator: token: %w", err)
	}
	return t, nil
}

// caller is who sends a request.
type caller struct {
	full bool      // may do everything
	sc   arm.Scope // of a run's token
	run  string    // what the token is limited to
}

// keyring knows the tokens that open this server. Run tokens are kept in memory alone: no run outlives its server.
type keyring struct {
	clock func() time.Time
	full  [sha256.Size]byte

	mu   sync.Mutex
	runs map[[sha256.Size]byte]grant
}

type grant struct {
	caller
	expires time.Time
}

func newKeyring(token string, clock func() time.Time) *keyring {
	return &keyring{clock: clock, full: sha256.Sum256([]byte(token)), runs: map[[sha256.Size]byte]grant{}}
}

// run makes a token for a run. Tokens made before it stay good until they expire or the run ends.
func (k *keyring) run(sc arm.Scope, run string, ttl time.Duration) (token string, expires time.Time, err error) {
	now := k.clock()
	expires = now.Add(ttl)
	c := claims(now, expires)
	c["run"], c["jti"] = run, rand.Text()
	if token, err = mint(c); err != nil {
		return "", time.Time{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for h, t := range k.runs {
		if now.After(t.expires) {
			delete(k.runs, h)
		}
	}
	k.runs[sha256.Sum256([]byte(token))] = grant{caller{sc: sc, run: run}, expires}
	return token, expires, nil
}

// revoke ends a run's tokens.
func (k *keyring) revoke(sc arm.Scope, run string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for h, t := range k.runs {
		if t.run == run && t.sc.Key() == sc.Key() {
			delete(k.runs, h)
		}
	}
}

// who recognises a token. Comparison is of hashes and in constant time.
func (k *keyring) who(token string) (caller, error) {
	h := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(h[:], k.full[:]) == 1 {
		return caller{full: true}, nil
	}
	k.mu.Lock()
	t, ok := k.runs[h]
	k.mu.Unlock()
	switch {
	case !ok:
		return caller{}, arm.Unauthorized("InvalidAuthenticationToken", "The access token is not one of this workspace's.")
	case k.clock().After(t.expires):
		return caller{}, arm.Unauthorized("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than the current time.")
	}
	return t.caller, nil
}
