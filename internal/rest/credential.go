package rest

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// StaticToken is a credential that always answers token: that of a local workspace, which AZUREML_LOCAL_TOKEN carries.
// It is the only kind of credential that a loopback http address is given.
func StaticToken(token string) azcore.TokenCredential { return &staticCredential{token: token} }

type staticCredential struct{ token string }

func (s *staticCredential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: s.token, ExpiresOn: time.Now().Add(24 * time.Hour)}, nil
}

// String keeps the token out of what is printed with %v.
func (s *staticCredential) String() string { return "static token (redacted)" }

// GoString keeps the token out of what is printed with %#v.
func (s *staticCredential) GoString() string { return s.String() }

// IsStatic reports whether cred was made by [StaticToken].
func IsStatic(cred azcore.TokenCredential) bool {
	_, ok := cred.(*staticCredential)
	return ok
}
