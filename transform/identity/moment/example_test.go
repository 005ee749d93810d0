package moment_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/moment"
	"crosslift/warehouse/columns"
)

// A phone met an experiment on the second of March, the television of the same account on the third. The account had been
// used on the phone before; on the television it signed in only after the offer had been shown there. So the phone's unit is
// its group with the account, and the television is a unit of its own.
func Example() {
	at := func(day, hour int) table.Micros {
		return table.MicrosOf(time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC))
	}
	account, phone, tv := identifier.ID{1}, identifier.ID{2}, identifier.ID{3}
	links := written(
		&table.IdentityLinkRow{
			Block: account, Left: account, LeftType: table.TypeAccount, Right: phone, RightType: table.TypeApp, Rule: table.RuleApp,
			Source: "product_login", FirstAt: at(1, 9), LastAt: at(5, 9), Count: 4, Status: "linked",
		},
		&table.IdentityLinkRow{
			Block: account, Left: account, LeftType: table.TypeAccount, Right: tv, RightType: table.TypeTV, Rule: table.RuleShared,
			Source: "product_login", FirstAt: at(3, 21), LastAt: at(3, 21), Count: 1, Status: "linked",
		},
	)

	ctx := context.Background()
	known, err := moment.Open(ctx, moment.Input{Links: links, Rules: graph.DefaultRules(), IDs: []identifier.ID{phone, tv}}, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	groups, err := known.Groups(ctx, []moment.Query{{ID: phone, At: at(2, 12)}, {ID: tv, At: at(3, 20)}, {ID: tv, At: at(4, 0)}}, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, g := range groups {
		fmt.Printf("%s, account %t:", g.ID.String()[:8], !g.Account.IsZero())
		for _, m := range g.Members {
			fmt.Printf(" %q", m.Type)
		}
		fmt.Println()
	}
	// Output:
	// 46bf1d5a, account true: "account" "app"
	// 40ce7155, account false: ""
	// 46bf1d5a, account true: "account" "app" "tv"
}

// written is a file of rows.
func written(rows ...any) *columns.File {
	var b bytes.Buffer
	if _, err := columns.WriteRows(&b, table.IdentityLink, slices.Values(rows), os.TempDir()); err != nil {
		panic(err)
	}
	f, err := columns.Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		panic(err)
	}
	return f
}
