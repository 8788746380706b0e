// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"

	"github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
	"github.com/spdx/tools-golang/spdxlib"
)

// module describes a Go module once.
func (d *description) module(path, version, from, licence string) common.ElementID {
	id := identifier("Go", path+"-"+version)
	d.add(&spdx.Package{
		PackageName: path, PackageSPDXIdentifier: id, PackageVersion: version,
		PackageDownloadLocation: from,
		PackageLicenseDeclared:  licence, PrimaryPackagePurpose: "LIBRARY",
		PackageExternalReferences: []*spdx.PackageExternalReference{
			{Category: "PACKAGE-MANAGER", RefType: "purl",
				Locator: "pkg:golang/" + path + "@" + version},
		},
	})
	return id
}

// library describes a library of the machine, in the lowest version that is needed.
func (d *description) library(name, least string, l library) common.ElementID {
	id := identifier("Library", name+"-"+least)
	d.add(&spdx.Package{
		PackageName: name, PackageSPDXIdentifier: id, PackageVersion: least,
		PackageLicenseDeclared: l.licence, PrimaryPackagePurpose: "LIBRARY",
		PackageComment: "Of " + l.project +
			". Not in the packages: the machine's own is loaded, of this version or a later one.",
	})
	return id
}

// compiler describes a compiler of the C, which also contributes its start-up code.
func (d *description) compiler(name string) common.ElementID {
	id := identifier("Compiler", name)
	d.add(&spdx.Package{
		PackageName: name, PackageSPDXIdentifier: id,
		PackageLicenseDeclared: "GPL-3.0-or-later WITH GCC-exception-3.1",
		PrimaryPackagePurpose:  "APPLICATION",
	})
	return id
}

func (d *description) add(p *spdx.Package) {
	if d.known[p.PackageSPDXIdentifier] {
		return
	}
	d.known[p.PackageSPDXIdentifier] = true
	if p.PackageDownloadLocation == "" {
		p.PackageDownloadLocation = none
	}
	if p.PackageCopyrightText == "" {
		p.PackageCopyrightText = none
	}
	p.PackageLicenseConcluded = none
	d.doc.Packages = append(d.doc.Packages, p)
}

func (d *description) relate(a common.ElementID, how string, b common.ElementID) {
	d.doc.Relationships = append(d.doc.Relationships, &spdx.Relationship{
		RefA: common.DocElementID{ElementRefID: a}, RefB: common.DocElementID{ElementRefID: b},
		Relationship: how,
	})
}

// print writes the document, after the library has read it back without an error. The namespace
// depends only on the release: the same release always has the same one, and no other release has
// it.
func (d *description) print(out io.Writer) error {
	d.doc.DocumentNamespace = fmt.Sprintf("https://spdx.org/spdxdocs/%s-%x", d.doc.DocumentName,
		sha256.Sum256([]byte(d.sums)))
	var text bytes.Buffer
	if err := json.Write(d.doc, &text, json.Indent("  "), json.EscapeHTML(false)); err != nil {
		return err
	}
	again, err := json.Read(bytes.NewReader(text.Bytes()))
	if err != nil {
		return err
	}
	if err := spdxlib.ValidateDocument(again); err != nil {
		return err
	}
	_, err = text.WriteTo(out)
	return err
}

var odd = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// identifier is an id of SPDX, which knows letters, digits, dots and hyphens.
func identifier(kind, name string) common.ElementID {
	return common.ElementID(kind + "-" + odd.ReplaceAllString(name, "-"))
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
