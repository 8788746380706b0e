// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// A description is the document while files of the release are added to it.
type description struct {
	version, contact string
	folders          folders
	doc              *spdx.Document
	known            map[common.ElementID]bool
	sums             string                      // of the files of the release
	released         map[string]common.ElementID // the same files, by their sums
}

const (
	ours = "Apache-2.0"
	none = "NOASSERTION"
)

func newDescription(version, contact string, when time.Time, f folders) *description {
	contact = strings.NewReplacer(" <", " (", ">", ")").Replace(contact) // as SPDX has it
	return &description{version: version, contact: contact, folders: f,
		known: map[common.ElementID]bool{}, released: map[string]common.ElementID{},
		doc: &spdx.Document{
			SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT",
			DocumentName: "aad-login-" + version,
			CreationInfo: &spdx.CreationInfo{
				Created: when.Format(time.RFC3339),
				Creators: []common.Creator{{CreatorType: "Organization", Creator: contact},
					{CreatorType: "Tool", Creator: "aad-login packaging/sbom"}},
			},
		}}
}

// release describes one file of the release, with the binaries in it.
func (d *description) release(file, tree string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	name := filepath.Base(file)
	id := identifier("Release", name)
	sum := fmt.Sprintf("%x", sha256.Sum256(content))
	d.sums += sum + "  " + name + "\n"
	d.add(&spdx.Package{
		PackageName: "aad-login", PackageSPDXIdentifier: id, PackageVersion: d.version,
		PackageFileName:        name,
		PackageSupplier:        &common.Supplier{SupplierType: "Organization", Supplier: d.contact},
		PackageChecksums:       []common.Checksum{{Algorithm: common.SHA256, Value: sum}},
		PackageLicenseDeclared: ours,
		PackageCopyrightText:   "The aad-login authors", PrimaryPackagePurpose: purpose(name),
	})
	d.released[sum] = id
	d.relate("DOCUMENT", common.TypeRelationshipDescribe, id)
	if tree == "" {
		return nil
	}
	return fs.WalkDir(os.DirFS(tree), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		return d.file(id, tree, name)
	})
}

func purpose(name string) string {
	if strings.HasSuffix(name, "-source.tar.gz") {
		return "SOURCE"
	}
	return "INSTALL"
}

// file describes a binary or a package within another. A file that is in several packages is
// described once, if it is the same to the byte.
func (d *description) file(in common.ElementID, tree, name string) error {
	content, err := os.ReadFile(filepath.Join(tree, name))
	if err != nil {
		return err
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(content))
	if id, is := d.released[sum]; is {
		d.relate(in, common.TypeRelationshipContains, id)
		return nil
	}
	b, err := readBinary(content)
	if errors.Is(err, errNotELF) {
		return nil
	} else if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	id := identifier("File", path.Base(name)+"-"+sum[:12])
	d.relate(in, common.TypeRelationshipContains, id)
	if d.known[id] {
		return nil
	}
	d.known[id] = true
	d.doc.Files = append(d.doc.Files, &spdx.File{
		FileName: "./" + name, FileSPDXIdentifier: id, FileTypes: []string{"BINARY"},
		FileCopyrightText: none, LicenseConcluded: none,
		Checksums: []common.Checksum{
			{Algorithm: common.SHA1, Value: fmt.Sprintf("%x", sha1.Sum(content))},
			{Algorithm: common.SHA256, Value: sum},
		},
	})
	return d.linked(id, b)
}

// linked relates a binary to its modules, libraries and compilers.
func (d *description) linked(id common.ElementID, b binary) error {
	if b.goVersion != "" {
		version := strings.TrimPrefix(b.goVersion, "go")
		licence, err := d.folders.licence("std", version)
		if err != nil {
			return err
		}
		d.relate(id, common.TypeRelationshipStaticLink,
			d.module("std", version, "https://go.dev/dl/"+b.goVersion+".src.tar.gz", licence))
	}
	for _, m := range b.modules {
		licence, err := d.folders.licence(m.Path, m.Version)
		if err != nil {
			return err
		}
		d.relate(id, common.TypeRelationshipStaticLink,
			d.module(m.Path, m.Version, "https://"+m.Path, licence))
	}
	for _, name := range sorted(b.libraries) {
		l, known := libraries[name]
		if !known {
			return fmt.Errorf("%s asks for %s, of which nobody has written down whose it is", id,
				name)
		}
		d.relate(id, common.TypeRelationshipDynamicLink, d.library(name, b.libraries[name], l))
	}
	for _, name := range b.compilers {
		d.relate(d.compiler(name), common.TypeRelationshipBuildToolOf, id)
	}
	return nil
}
