package compute

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSecretsAreNotPrinted(t *testing.T) {
	const secret = "p4ssw0rd-of-a-node"
	keys := &Keys{Kind: "Databricks", DatabricksToken: secret}
	for _, v := range []any{
		&Administrator{User: "ann", Password: secret}, Administrator{User: "ann", Password: secret},
		&VMUser{User: "ann", Password: secret, PrivateKey: secret}, VMUser{User: "ann", PrivateKey: secret},
		&Cluster{Name: "c", SSH: &Administrator{User: "ann", Password: secret}}, keys,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			require.NotContains(t, fmt.Sprintf(verb, v), secret)
		}
	}
}
