"""Look-alikes of the files that users bring: the structure of each format, with invented content.

Every vocabulary tells the same small story, so that one contract holds for all: zorbian fever is a
kind of zorbosis, has the synonym "marsh zorb", and (where the format can say it) an old id that was
replaced by it.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kgrag.vocabulary.prefixes import luhn, verhoeff


@dataclass(frozen=True)
class Story:
    """What a loader must find in its look-alike; None where the format cannot say it."""

    fever: str
    zorbosis: str | None
    old: str | None
    type: str
    synonym: str | None = "marsh zorb"


def sctid(body: int) -> str:
    """A number in the form of an SCTID, with its check digit."""
    return next(f"{body}{digit}" for digit in range(10) if verhoeff(f"{body}{digit}"))


def loinc(body: int) -> str:
    return next(f"{body}-{digit}" for digit in range(10) if luhn(f"{body}-{digit}"))


def rrf(*rows: tuple[str, ...]) -> str:
    return "".join("|".join(row) + "|\n" for row in rows)


def conso(cui: str, text: str, source: str, kind: str, code: str, **other: str) -> tuple[str, ...]:
    """A row of MRCONSO or RXNCONSO."""
    first = other.get("first", "Y")
    status, form = ("P", "PF") if first == "Y" else ("S", "VO")
    return (
        cui, other.get("language", "ENG"), status, "L1", form, "S1", first, "A1", "", "", "",
        source, kind, code, text, "0", other.get("suppressed", "N"), "",
    )  # fmt: skip


def relation(one: str, rel: str, other: str, rela: str = "") -> tuple[str, ...]:
    return (one, "A1", "CUI", rel, other, "A2", "CUI", rela, "R1", "", "X", "X", "", "", "N", "")


def write_umls(folder: Path) -> Path:
    meta = folder / "2026AA" / "META"
    meta.mkdir(parents=True)
    (meta / "MRCONSO.RRF").write_text(
        rrf(
            conso("C0900001", "fièvre zorbienne", "MSHFRE", "MH", "D900001", language="FRE"),
            conso("C0900001", "Fever, Zorbian", "SRC2", "SY", "x", first="N"),
            conso("C0900001", "Zorbian fever", "MSH", "MH", "D900001"),
            conso("C0900001", "marsh zorb", "SNOMEDCT_US", "SY", sctid(9000010), first="N"),
            conso("C0900001", "ZF", "SRC2", "AB", "x", first="N"),
            conso("C0900001", "zorbian fever suppressed", "SRC2", "SY", "x", suppressed="O"),
            conso("C0900002", "Zorbosis", "MSH", "MH", "D900002"),
            conso("C0900003", "ZORB1 gene", "HGNC", "PT", "1"),
            conso("C0900004", "Zorbicillin", "RXNORM", "IN", "900004"),
        ),
        encoding="utf-8",
    )
    (meta / "MRSTY.RRF").write_text(
        rrf(
            ("C0900001", "T184", "A", "Sign or Symptom", "AT1", ""),
            ("C0900001", "T047", "B", "Disease or Syndrome", "AT2", ""),
            ("C0900002", "T047", "B", "Disease or Syndrome", "AT3", ""),
            ("C0900003", "T028", "C", "Gene or Genome", "AT4", ""),
            ("C0900004", "T109", "C", "Organic Chemical", "AT5", ""),
            ("C0900004", "T121", "C", "Pharmacologic Substance", "AT6", ""),
        )
    )
    (meta / "MRREL.RRF").write_text(
        rrf(
            relation("C0900001", "PAR", "C0900002"),
            relation("C0900002", "CHD", "C0900001"),
            relation("C0900001", "RO", "C0900004"),
        )
    )
    (meta / "MRCUI.RRF").write_text(
        rrf(
            ("C0800001", "2020AA", "SY", "", "", "C0900001", "Y"),
            ("C0800002", "2020AA", "DEL", "", "", "", ""),
        )
    )
    return folder / "2026AA"


def write_rxnorm(folder: Path) -> Path:
    rrf_folder = folder / "RxNorm_full" / "rrf"
    rrf_folder.mkdir(parents=True)
    (rrf_folder / "RXNCONSO.RRF").write_text(
        rrf(
            conso("900001", "Zorbian fever", "RXNORM", "BN", "900001"),
            conso("900001", "marsh zorb", "RXNORM", "SY", "900001"),
            conso("900002", "zorbosis", "RXNORM", "IN", "900002"),
            conso("900002", "ZORBOSIS", "MTHSPL", "SU", "ZORB0SIS00"),
            conso("900002", "zorbosis", "DRUGBANK", "IN", "DB99999"),
            conso("900003", "zorbosis 500 MG Oral Tablet", "RXNORM", "SCD", "900003"),
            conso("900004", "gone", "RXNORM", "IN", "900004", suppressed="O"),
        )
    )
    (rrf_folder / "RXNREL.RRF").write_text(
        rrf(
            relation("900002", "RN", "900001", "tradename_of"),
            relation("900002", "RN", "900003", "isa"),
            relation("900003", "RO", "900002", "ingredient_of"),
        )
    )
    (rrf_folder / "RXNATOMARCHIVE.RRF").write_text(
        rrf(
            ("1", "1", "old zorb", "", "", "", "800001", "", "ENG", "", "", "", "800001", "RXNORM",
             "BN", "900001"),
            ("2", "2", "lost zorb", "", "", "", "800002", "", "ENG", "", "", "", "800002", "RXNORM",
             "IN", ""),
        )
    )  # fmt: skip
    return folder / "RxNorm_full"


FEVER, ZORBOSIS, OLD, LOST, SITE = (sctid(9000010 + at) for at in range(5))
_MODULE = "900000000000207008"


def write_snomedct(folder: Path) -> Path:
    release = folder / "SnomedCT_Zorb"
    terms, refsets = release / "Snapshot" / "Terminology", release / "Snapshot" / "Refset"
    terms.mkdir(parents=True)
    refsets.mkdir()

    def table(path: Path, header: str, *rows: tuple[str, ...]) -> None:
        path.write_text("".join("\t".join(r) + "\n" for r in (header.split(), *rows)))

    table(
        terms / "sct2_Concept_Snapshot_INT_20260901.txt",
        "id effectiveTime active moduleId definitionStatusId",
        *((c, "20260901", active, _MODULE, "900000000000074008")
          for c, active in ((FEVER, "1"), (ZORBOSIS, "1"), (OLD, "0"), (LOST, "0"), (SITE, "1"))),
    )  # fmt: skip
    full, synonym = "900000000000003001", "900000000000013009"

    def described(number: int, concept: str, kind: str, text: str) -> tuple[str, ...]:
        return (str(number), "20260901", "1", _MODULE, concept, "en", kind, text, "1")

    table(
        terms / "sct2_Description_Snapshot-en_INT_20260901.txt",
        "id effectiveTime active moduleId conceptId languageCode typeId term caseSignificanceId",
        described(1, FEVER, full, "Zorbian fever (disorder)"),
        described(2, FEVER, synonym, "marsh zorb"),
        described(3, FEVER, synonym, "Zorbian fever"),
        described(4, ZORBOSIS, full, "Zorbosis (disorder)"),
        described(5, OLD, full, "Swamp zorb (disorder)"),
        described(6, LOST, full, "Lost zorb (finding)"),
        described(7, SITE, full, "Zorbian site (environment)"),
        described(8, sctid(9999999), synonym, "of no concept"),
    )
    table(
        terms / "sct2_Relationship_Snapshot_INT_20260901.txt",
        "id effectiveTime active moduleId sourceId destinationId relationshipGroup typeId"
        " characteristicTypeId modifierId",
        ("1", "20260901", "1", _MODULE, FEVER, ZORBOSIS, "0", "116680003", "x", "y"),
        ("2", "20260901", "0", _MODULE, ZORBOSIS, FEVER, "0", "116680003", "x", "y"),
    )
    table(
        refsets / "der2_cRefset_LanguageSnapshot-en_INT_20260901.txt",
        "id effectiveTime active moduleId refsetId referencedComponentId acceptabilityId",
        ("u1", "20260901", "1", _MODULE, "900000000000509007", "3", "900000000000548007"),
        ("u2", "20260901", "1", _MODULE, "900000000000508004", "2", "900000000000548007"),
    )
    table(
        refsets / "der2_cRefset_AssociationSnapshot_INT_20260901.txt",
        "id effectiveTime active moduleId refsetId referencedComponentId targetComponentId",
        ("a1", "20260901", "1", _MODULE, "900000000000526001", OLD, FEVER),
        ("a2", "20260901", "1", _MODULE, "900000000000523009", LOST, FEVER),
    )
    return release


def write_loinc(folder: Path) -> Path:
    header = (
        "LOINC_NUM,COMPONENT,PROPERTY,SYSTEM,CLASSTYPE,STATUS,CONSUMER_NAME,SHORTNAME,"
        "LONG_COMMON_NAME,COMMON_TEST_RANK,VersionLastChanged\n"
    )
    (folder / "Loinc.csv").write_text(
        header + f'{loinc(90002)},"Zorbosis",MCnc,Bld,1,ACTIVE,,Zorb SerPl,'
        '"Zorbosis [Mass/volume] in Serum or Plasma",7,2.80\n'
        + f'{loinc(90001)},"Zorbosis^1H post zorb",MCnc,Urine,1,ACTIVE,,Zorb Ur,'
        "Zorbian fever,0,2.77\n"
        + f"{loinc(80001)},Zorbosis,MCnc,Bld,1,DEPRECATED,,,Zorb old,0,2.10\n"
        + f"{loinc(70001)},Zorb claim,-,-,3,ACTIVE,,,Zorb claim,0,2.10\n"
    )
    (folder / "MapTo.csv").write_text(f"LOINC,MAP_TO,COMMENT\n{loinc(80001)},{loinc(90001)},\n")
    return folder / "Loinc.csv"


def heading(
    ui: str, name: str, numbers: list[str], *terms: tuple[str, str], unii: str = "0"
) -> str:
    trees = "".join(f"<TreeNumber>{number}</TreeNumber>" for number in numbers)
    spelled = "".join(
        f'<Term LexicalTag="{tag}"><TermUI>T1</TermUI><String>{text}</String></Term>'
        for text, tag in ((name, "NON"), *terms)
    )
    return (
        f'<DescriptorRecord DescriptorClass="1"><DescriptorUI>{ui}</DescriptorUI>'
        f"<DescriptorName><String>{name}</String></DescriptorName>"
        f"<TreeNumberList>{trees}</TreeNumberList>"
        f'<ConceptList><Concept PreferredConceptYN="Y"><ConceptUI>M1</ConceptUI>'
        f"<RegistryNumberList><RegistryNumber>{unii}</RegistryNumber></RegistryNumberList>"
        f"<TermList>{spelled}</TermList></Concept></ConceptList></DescriptorRecord>"
    )


MESH_DESC = (
    '<?xml version="1.0"?>\n<!DOCTYPE DescriptorRecordSet SYSTEM "desc.dtd">\n'
    '<DescriptorRecordSet LanguageCode="eng">'
    + heading("D990001", "Zorbian Fever", ["C01.990.100"], ("marsh zorb", "NON"), ("ZF", "ABB"))
    + heading("D990002", "Zorbosis", ["C01.990"])
    + heading("D990003", "Zorbicillin", ["D02.100"], unii="Z0RB1C1LL1")
    + heading("D990004", "Zorb Society", ["N05.300"])
    + "</DescriptorRecordSet>"
)
MESH_SUPP = (
    '<?xml version="1.0"?>\n<SupplementalRecordSet><SupplementalRecord SCRClass="3">'
    "<SupplementalRecordUI>C990009</SupplementalRecordUI>"
    "<SupplementalRecordName><String>familial zorb</String></SupplementalRecordName>"
    "<HeadingMappedToList><HeadingMappedTo><DescriptorReferredTo>"
    "<DescriptorUI>*D990001</DescriptorUI></DescriptorReferredTo></HeadingMappedTo>"
    "</HeadingMappedToList><ConceptList></ConceptList></SupplementalRecord>"
    "</SupplementalRecordSet>"
)


def write_mesh(folder: Path) -> Path:
    release = folder / "mesh2026"
    release.mkdir()
    (release / "desc2026.xml").write_text(MESH_DESC)
    with gzip.open(release / "supp2026.xml.gz", "wt") as file:
        file.write(MESH_SUPP)
    return release


OBO = """format-version: 1.2
data-version: releases/2026-09-01
ontology: zorb
property_value: http://purl.org/dc/terms/license https://example.org/licence xsd:string
property_value: http://purl.org/dc/terms/title "Zorb Ontology" xsd:string

[Typedef]
id: part_of

[Term]
id: ZORB:0000001
name: zorbian fever
synonym: "marsh zorb" EXACT []
synonym: "swamp ague" RELATED []
synonym: "unclosed EXACT []
alt_id: ZORB:0000011
xref: MESH:D990001
xref: nonsense
is_a: ZORB:0000002 {source="x"} ! zorbosis
relationship: part_of ZORB:0000002

[Term]
id: ZORB:0000002
name: zorbosis
this line is no tag
property_value: broken

[Term]
id: ZORB:0000003
name: obsolete swamp zorb
is_obsolete: true
replaced_by: ZORB:0000001

[Term]
id: ZORB:0000004
name: obsolete lost zorb
is_obsolete: true
consider: ZORB:0000001
consider: ZORB:0000002

[Term]
name: a term without an id
"""


def write_obo(folder: Path) -> Path:
    path = folder / "zorb.obo"
    path.write_text(OBO)
    return path


OWL = """<?xml version="1.0"?>
<!DOCTYPE rdf:RDF [ <!ENTITY owl "http://www.w3.org/2002/07/owl#" > ]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#" xmlns:owl="http://www.w3.org/2002/07/owl#"
 xmlns:o="http://www.geneontology.org/formats/oboInOwl#" xmlns:dct="http://purl.org/dc/terms/"
 xmlns:obo="http://purl.obolibrary.org/obo/">
<owl:Ontology rdf:about="http://purl.obolibrary.org/obo/zorb.owl">
 <dct:title>Zorb in OWL</dct:title><owl:versionInfo>2026-09-01</owl:versionInfo>
 <dct:license rdf:resource="https://example.org/licence"/></owl:Ontology>
<owl:Class rdf:about="http://purl.obolibrary.org/obo/ZORB_0000001">
 <rdfs:label>zorbian fever</rdfs:label><o:hasExactSynonym>marsh zorb</o:hasExactSynonym>
 <o:hasDbXref>MESH:D990001</o:hasDbXref>
 <rdfs:subClassOf rdf:resource="http://purl.obolibrary.org/obo/ZORB_0000002"/>
 <rdfs:subClassOf><owl:Restriction><owl:onProperty rdf:resource="http://x.org/p"/>
  <owl:someValuesFrom rdf:resource="http://purl.obolibrary.org/obo/ZORB_0000002"/>
 </owl:Restriction></rdfs:subClassOf>
</owl:Class>
<owl:Class rdf:about="http://purl.obolibrary.org/obo/ZORB_0000002">
 <rdfs:label xml:lang="en">zorbosis</rdfs:label><rdfs:label xml:lang="fr">zorbose</rdfs:label>
</owl:Class>
<owl:Class rdf:about="http://purl.obolibrary.org/obo/ZORB_0000003">
 <rdfs:label>obsolete swamp zorb</rdfs:label>
 <owl:deprecated rdf:datatype="http://www.w3.org/2001/XMLSchema#boolean">true</owl:deprecated>
 <obo:IAO_0100001 rdf:resource="http://purl.obolibrary.org/obo/ZORB_0000001"/>
</owl:Class>
</rdf:RDF>
"""


def write_owl(folder: Path) -> Path:
    path = folder / "zorb.owl"
    path.write_text(OWL)
    return path


SKOS = """@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix z: <https://zorb.example/ZORB_> .
<https://zorb.example/> a skos:ConceptScheme ; dct:title "Zorb in SKOS"@en ;
  dct:license <https://example.org/licence> .
z:1 a skos:Concept ; skos:prefLabel "zorbian fever"@en, "zorbisches Fieber"@de ;
  skos:altLabel "marsh zorb"@en ; skos:broader z:2 ;
  skos:exactMatch <http://id.nlm.nih.gov/mesh/D990001> .
z:2 a skos:Concept ; skos:prefLabel "zorbosis"@en .
z:3 a skos:Concept ; skos:prefLabel "swamp zorb"@en ; dct:isReplacedBy z:1 .
z:4 a skos:Concept ; skos:prefLabel "nur deutsch"@de .
"""


def write_skos(folder: Path) -> Path:
    path = folder / "zorb.ttl"
    path.write_text(SKOS)
    return path


def write_atc(folder: Path) -> Path:
    path = folder / "atc_index.csv"
    path.write_text(
        "ATC code,ATC level name,DDD,UOM,Adm.R\n"
        "Z,ZORB SYSTEM,,,\nZ01,ZORBOSIS,,,\nZ01A,OTHER ZORBS,,,\nZ01AA,Zorbillins,,,\n"
        "Z01AA01,zorbian fever,1,g,O\nZ01AA01,zorbian fever,2,g,P\nnonsense,x,,,\n"
    )
    return path


def write_icd11(folder: Path) -> Path:
    path = folder / "SimpleTabulation-ICD-11-MMS-en.txt"
    rows = [
        ("", "", "", "Diseases of zorb", "chapter", "1", "False"),
        ("", "", "BlockL1-1A0", "- Zorbosis", "block", "1", "False"),
        ("", "1A00", "", "- - Zorbian fever", "category", "1", "False"),
        ("", "1A00.Z", "", "- - - Zorbian fever, unspecified", "category", "1", "True"),
        ("", "MG30", "", "- Zorb ache", "category", "21", "False"),
        ("", "PA00", "", "- Struck by zorb", "category", "23", "False"),
    ]
    header = (
        "Foundation URI\tLinearization URI\tCode\tBlockId\tTitle\tClassKind\tChapterNo\tIsResidual"
    )
    lines = [header]
    for uri, code, block, title, kind, chapter, residual in rows:
        lines.append("\t".join((uri, uri, code, block, f'"{title}"', kind, chapter, residual)))
    path.write_text("\n".join(lines) + "\n")
    return path


def write_sssom(folder: Path) -> Path:
    path = folder / "zorb.sssom.tsv"
    path.write_text(
        "#mapping_set_title: Zorb mappings\n#license: https://example.org/licence\n"
        "subject_id\tpredicate_id\tobject_id\tpredicate_modifier\tconfidence\n"
        "mesh:D990001\tskos:exactMatch\tDOID:990001\t\t\n"
        "mesh:D990001\tskos:broadMatch\tmesh:D990002\t\t0.95\n"
        "mesh:D990003\tskos:exactMatch\tCHEBI:990003\tNot\t\n"
        "mesh:D990003\tskos:exactMatch\tCHEBI:990004\t\t0.2\n"
        "mesh:D990003\tskos:closeMatch\tCHEBI:990005\t\t\n"
        "zorbish:1\tskos:exactMatch\tCHEBI:990005\t\t\n"
        "mesh:nonsense\tskos:exactMatch\tCHEBI:990005\t\t\n"
    )
    return path


def write_table(folder: Path) -> Path:
    path = folder / "zorb.tsv"
    path.write_text(
        "id\tlabel\tsynonyms\tsubClassOf\txref\n"
        "ZORB:1\tzorbian fever\tmarsh zorb|ague\tzorbosis\tMESH:D990001\n"
        "ZORB:2\tzorbosis\t\t\t\nnonsense\tno id\t\t\t\nZORB:3\ttoo\tfew\n"
    )
    return path


STORIES: dict[str, tuple[Callable[[Path], Path], Story]] = {
    "atc": (write_atc, Story("ATC:Z01AA01", "ATC:Z01", None, "drug", None)),
    "icd11": (write_icd11, Story("ICD11:1A00", "ICD11:BlockL1-1A0", None, "disease", None)),
    "loinc": (
        write_loinc,
        Story(f"LOINC:{loinc(90001)}", None, f"LOINC:{loinc(80001)}", "analyte", None),
    ),
    "mesh": (write_mesh, Story("MESH:D990001", "MESH:D990002", None, "disease")),
    "obo": (write_obo, Story("ZORB:0000001", "ZORB:0000002", "ZORB:0000003", "other")),
    "owl": (write_owl, Story("ZORB:0000001", "ZORB:0000002", "ZORB:0000003", "other")),
    "rxnorm": (
        write_rxnorm, Story("RXNORM:900001", "RXNORM:900002", "RXNORM:800001", "drug"),
    ),
    "skos": (write_skos, Story("ZORB:1", "ZORB:2", "ZORB:3", "other")),
    "snomedct": (
        write_snomedct,
        Story(f"SNOMEDCT:{FEVER}", f"SNOMEDCT:{ZORBOSIS}", f"SNOMEDCT:{OLD}", "disease"),
    ),
    "sssom": (write_sssom, Story("", None, None, "")),
    "table": (write_table, Story("ZORB:1", "ZORB:2", None, "other")),
    "umls": (write_umls, Story("UMLS:C0900001", "UMLS:C0900002", "UMLS:C0800001", "disease")),
}  # fmt: skip
